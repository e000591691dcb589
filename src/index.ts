/** Importing a feature registers its functions with the host. */
import './http/setup.js';
import './storage/setup.js';
import './telemetry/index.js';
import './starter/index.js';
import './approvals/index.js';
import './reminders/index.js';
import './dungeon/index.js';
import './ingestion/index.js';
import './jobs/index.js';
import './orders/index.js';
import './devices/index.js';
import './rollouts/index.js';
import './pages/index.js';
import './operations/index.js';
