/** The pages people use, as built from `web/`. */
import './endpoints.js';
