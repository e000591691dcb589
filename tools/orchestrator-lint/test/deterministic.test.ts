import { deterministic } from '../rules/deterministic.ts';
import { check, commonJs, inside, mixed, whole } from './support.ts';

const activities = "import { pay } from './activities.js';\n";

check('orchestrators take the time from their context', deterministic, {
  good: [
    'const now = context.df.currentUtcDateTime;',
    'const due = new Date(input.due);',
    'const due = new Date(context.df.currentUtcDateTime.getTime() + 1000);',
    'const due = Date.parse(input.due) + Date.UTC(2030, 0);',
    'if (input.due instanceof Date) return;',
    'const parts = [2030, 1]; const due = new Date(...parts);',
    'const Date = input.Date; Date.now(); new Date();',
    'const at: Date = input.at; let ask: typeof Date.now;',
    'function Date() {} new Date();',
    'const clock = { now: () => 5 }; clock.now();',
    mixed(
      "import moment from 'moment';\n" +
        inside(
          'moment(input.at); moment.utc(context.df.currentUtcDateTime).add(1, "day"); moment.duration(1, "day");',
        ),
    ),
    mixed("import type { Moment } from 'moment';\n" + inside('let at: Moment | undefined;')),
    mixed("import moment from './own-moment.js';\n" + inside('moment();')),
    mixed("import { DateTime } from 'luxon';\n" + inside('DateTime.utc(2030); DateTime.fromISO(input.at);')),
    // What is not given to an orchestrator may do as it likes.
    mixed(
      'const startedAt = Date.now(); export const handler = () => new Date();\n' + inside('return input;'),
    ),
    mixed('app.http("hello", { handler: () => Date.now() });'),
    whole(
      "import moment from 'moment';\nexport const day = moment.duration(1, 'day');\nexport function due(at: string) { return moment.utc(at); }",
    ),
    whole('export interface Order { at: Date; now: typeof Date.now }'),
    mixed('export const now = Date.now();'),
    { ...whole('export const now = Date.now();'), filename: 'src/orders/activities.ts' },
  ],
  bad: [
    ['const now = Date.now();', 'clock Date.now'],
    ["const now = Date['now']();", 'clock Date.now'],
    ['const now = Date[`now`]();', 'clock Date.now'],
    ['const now = Date?.now?.();', 'clock Date.now'],
    ['const now = (Date as any).now!();', 'clock Date.now'],
    ['const now = new Date();', 'clock Date'],
    ['const now = new Date;', 'clock Date'],
    ['const now = new Date(undefined);', 'clock Date'],
    ['const now = Date();', 'clock Date'],
    ['const now = Date(5);', 'clock Date'],
    ['const now = globalThis.Date.now();', 'clock Date.now'],
    ['const now = new globalThis.Date();', 'clock Date'],
    ["const now = new global['Date']();", 'clock Date'],
    ['const { now } = Date; now();', 'clock Date.now'],
    ['const { now: tell } = Date; tell();', 'clock Date.now'],
    ['const { Date: { now } } = globalThis; now();', 'clock Date.now'],
    ['let now; ({ now } = Date);', 'clock Date.now'],
    ['const D = Date; new D();', 'clock Date'],
    ['const D = Date; D.now();', 'clock Date.now'],
    ['const tell = Date.now;', 'clock Date.now'],
    ['const times = input.map(Date.now);', 'clock Date.now'],
    ['(0, Date.now)();', 'clock Date.now'],
    ['const at = performance.now();', 'clock performance'],
    ['const { now } = performance;', 'clock performance'],
    ['const at = Temporal.Now.instant();', 'clock Temporal.Now'],
    ['function late(at = new Date()) { return at; } late();', 'clock Date'],
    ['const late = ({ now } = Date) => now();', 'clock Date.now'],
    ['class Clock { at = Date.now(); } new Clock();', 'clock Date.now'],
    ['class Clock { static at = Date.now(); read() { return new Date(); } }', 'clock Date.now', 'clock Date'],
    ['input.forEach(() => { [1].map(function () { return Date.now(); }); });', 'clock Date.now'],
    [mixed("import moment from 'moment';\n" + inside('moment();')), 'clock moment'],
    [mixed("import moment from 'moment';\n" + inside('moment(undefined).add(1, "day");')), 'clock moment'],
    [mixed("import moment from 'moment';\n" + inside('moment.utc();')), 'clock moment.utc'],
    [mixed("import * as moment from 'moment';\n" + inside('moment.utc().toDate();')), 'clock moment.utc'],
    [mixed("import { utc } from 'moment';\n" + inside('utc();')), 'clock moment.utc'],
    [mixed("import { default as time } from 'moment';\n" + inside('time();')), 'clock moment'],
    [mixed("import moment = require('moment');\n" + inside('moment();')), 'clock moment'],
    [mixed("import moment from 'moment';\nconst now = moment.utc;\n" + inside('now();')), 'clock moment.utc'],
    [
      mixed("import moment from 'moment-timezone';\n" + inside("moment.tz('Europe/Berlin');")),
      'clock moment-timezone.tz',
    ],
    [mixed("import dayjs from 'dayjs';\n" + inside('dayjs();')), 'clock dayjs'],
    [
      mixed("import { DateTime } from 'luxon';\n" + inside('DateTime.now(); DateTime.utc();')),
      'clock luxon.DateTime.now',
      'clock luxon.DateTime.utc',
    ],
    [commonJs("const moment = require('moment');\n" + inside('moment();')), 'clock moment'],
    [commonJs(inside("require('moment')();")), 'clock moment'],
    [mixed('const { now } = Date;\n' + inside('now();')), 'clock Date.now'],
    // Of a whole file, all of it.
    [whole(activities + 'export const startedAt = Date.now();'), 'clock Date.now'],
    [
      whole('export function isLate(due: Date, now = new Date()): boolean { return due < now; }'),
      'clock Date',
    ],
    [whole('export class Order { readonly at = new Date(); }'), 'clock Date'],
    [
      whole("import moment from 'moment';\nexport const soon = () => moment().add(1, 'day');"),
      'clock moment',
    ],
    [{ ...whole('export const now = () => Date.now();'), filename: 'src/orders/rules.ts' }, 'clock Date.now'],
    [{ ...whole('export const now = () => Date.now();'), filename: 'src/orders/model.ts' }, 'clock Date.now'],
  ],
});

check('orchestrators draw no lots', deterministic, {
  good: [
    'const id = context.df.newGuid(input.id);',
    'const half = Math.floor(input / 2);',
    'const Math = { random: () => 4 }; Math.random();',
    'const { floor } = Math; floor(1.5);',
    'input.random();',
    mixed("import { v5 } from 'uuid';\n" + inside('v5(input.id, input.space);')),
  ],
  bad: [
    ['Math.random();', 'random Math.random'],
    ["Math['random']();", 'random Math.random'],
    ['const { random } = Math; random();', 'random Math.random'],
    ['const { random: draw = () => 1 } = Math;', 'random Math.random'],
    ['const M = Math; const { random } = M;', 'random Math.random'],
    ['self.Math.random();', 'random Math.random'],
    ['crypto.randomUUID();', 'random crypto'],
    ['const { randomUUID } = globalThis.crypto;', 'random crypto'],
    [mixed('const { random } = Math;\n' + inside('random();')), 'random Math.random'],
    [mixed("import { v4 as uuid } from 'uuid';\n" + inside('uuid();')), 'random uuid.v4'],
    [mixed("import * as uuid from 'uuid';\n" + inside('const { v7 } = uuid; v7();')), 'random uuid.v7'],
    [mixed("import { nanoid } from 'nanoid';\n" + inside('nanoid();')), 'random nanoid.nanoid'],
    [whole("import { v4 } from 'uuid';\nexport const id = () => v4();"), 'random uuid.v4'],
    [whole('const { random } = Math;\nexport const draw = () => random();'), 'random Math.random'],
  ],
});

check('orchestrators wait for timers of the workflow alone', deterministic, {
  good: [
    'yield context.df.createTimer(input.due);',
    'function setTimeout() {} setTimeout();',
    'input.setTimeout(5);',
  ],
  bad: [
    ['setTimeout(() => {}, 5);', 'timer setTimeout'],
    ['globalThis.setInterval(input, 5);', 'timer setInterval'],
    ['setImmediate(input); queueMicrotask(input);', 'timer setImmediate', 'timer queueMicrotask'],
    ['const wait = setTimeout;', 'timer setTimeout'],
  ],
});

check('orchestrators reach nothing outside, and read no environment', deterministic, {
  good: [
    'yield context.df.callHttp({ method: "GET", url: input.url });',
    'const fetch = input.fetch; fetch();',
    'const handle = (fetch) => fetch();',
    'if (typeof process === "undefined") return;',
    'const { process } = input; process();',
    'input.process.env;',
    mixed("import { fetch } from './activities.js';\n" + inside('yield fetch(context, input);')),
    mixed('export const url = process.env["URL"];\n' + inside('return 5;')),
  ],
  bad: [
    ['fetch(input.url);', 'outside fetch'],
    ['window.fetch(input.url);', 'outside fetch'],
    ['const get = fetch;', 'outside fetch'],
    ['{ const fetch = 5; } fetch(input);', 'outside fetch'],
    ['new WebSocket(input);', 'outside WebSocket'],
    ['process.env.URL;', 'environment process'],
    ['const { env } = process;', 'environment process'],
    ['process.hrtime();', 'environment process'],
    ["globalThis['process'].exit();", 'environment process'],
    [mixed('const { env } = process;\n' + inside('env.URL;')), 'environment process.env'],
  ],
});

check('orchestrators use pure modules alone', deterministic, {
  good: [
    mixed(
      "import fs from 'node:fs';\nexport const read = () => fs.readFileSync('a');\n" + inside('return 5;'),
    ),
    mixed("import { join } from 'node:path';\n" + inside("join('a', input);")),
    mixed(
      "import { BlobServiceClient } from '@azure/storage-blob';\nnew BlobServiceClient('');\n" +
        inside('return input;'),
    ),
    whole(
      "import path from 'node:path';\nimport { format } from 'util';\nimport { isDeepStrictEqual } from 'node:util';\nexport const all = [path, format, isDeepStrictEqual];",
    ),
    whole(
      "import type { Stats } from 'node:fs';\nimport { type Hash } from 'node:crypto';\nexport type Both = Stats | Hash;",
    ),
    whole(
      "import { app } from '@azure/functions';\nimport * as df from 'durable-functions';\nexport const both = [app, df];",
    ),
    whole("import { z } from 'zod';\nimport { pay } from './activities.js';\nexport const all = [z, pay];"),
  ],
  bad: [
    [
      mixed("import { readFileSync } from 'node:fs';\n" + inside("readFileSync('a');")),
      'import node:fs.readFileSync',
    ],
    [mixed("import fs from 'fs';\n" + inside("fs.readFileSync('a');")), 'import node:fs'],
    [
      mixed("import * as timers from 'timers/promises';\n" + inside('timers.setTimeout(5);')),
      'timer node:timers/promises',
    ],
    [
      mixed("import { createHash } from 'node:crypto';\n" + inside("createHash('md5');")),
      'crypto node:crypto.createHash',
    ],
    [mixed("import axios from 'axios';\n" + inside('axios.get(input.url);')), 'import axios'],
    [
      mixed(
        "import { BlobServiceClient } from '@azure/storage-blob';\n" +
          inside('new BlobServiceClient(input);'),
      ),
      'import @azure/storage-blob.BlobServiceClient',
    ],
    [
      mixed("import pg from 'pg/lib/client';\n" + inside('pg.query();'), { impurePackages: ['pg'] }),
      'import pg/lib/client',
    ],
    [commonJs("const fs = require('fs');\n" + inside("fs.readFileSync('a');")), 'import node:fs'],
    [
      commonJs("const { readFileSync: read } = require('fs');\n" + inside("read('a');")),
      'import node:fs.readFileSync',
    ],
    [commonJs(inside("const os = require('os'); os.hostname();")), 'import os'],
    [
      whole("import { randomUUID } from 'node:crypto';\nexport const id = () => randomUUID();"),
      'crypto node:crypto',
    ],
    [
      whole("import { performance } from 'perf_hooks';\nexport const at = performance.now;"),
      'clock perf_hooks',
    ],
    [commonJs(inside("require('process').cwd();")), 'environment process'],
    [whole("import 'node:fs';"), 'import node:fs'],
    [
      whole("import os, { type CpuInfo } from 'os';\nexport const cpus = (): CpuInfo[] => os.cpus();"),
      'import os',
    ],
    [whole("import fs = require('fs');\nexport const read = () => fs.readFileSync('a');"), 'import fs'],
    [
      whole("import { TableClient } from '@azure/data-tables';\nexport const table = TableClient;"),
      'import @azure/data-tables',
    ],
  ],
});

check('what an orchestrator calls is orchestrator code', deterministic, {
  good: [
    mixed('function record() { return Date.now(); }\nfunction late() { return true; }\n' + inside('late();')),
    mixed(
      'function sayHello() { return Date.now(); }\n' +
        inside('yield context.df.callActivity(sayHello.name, input);'),
    ),
    mixed("const pay = activity('Pay', async () => Date.now());\n" + inside('yield* pay(context, input);')),
    mixed("register('x', function* () { Date.now(); });"),
  ],
  bad: [
    [mixed('function late() { return Date.now(); }\n' + inside('late();')), 'clock Date.now'],
    [mixed('const late = () => Date.now();\n' + inside('input.map(late);')), 'clock Date.now'],
    [
      mixed(
        'const deeper = () => Date.now();\nconst late = function () { return deeper(); };\n' +
          inside('late();'),
      ),
      'clock Date.now',
    ],
    [
      mixed(
        'function* steps(context) { yield context.df.createTimer(new Date()); }\n' +
          inside('yield* steps(context);'),
      ),
      'clock Date',
    ],
    [
      mixed('class Clock { read() { return Date.now(); } }\n' + inside('new Clock().read();')),
      'clock Date.now',
    ],
    [mixed('const clock = { read: () => Date.now() };\n' + inside('clock.read();')), 'clock Date.now'],
    [mixed("df.app.orchestration('Order', function* (context) { Date.now(); });"), 'clock Date.now'],
    [
      mixed("df.app.orchestration('Order', { handler: function* (context) { Date.now(); } });"),
      'clock Date.now',
    ],
    [
      mixed(
        "const handler = function* (context) { Date.now(); };\ndf.app.orchestration('Order', { handler });",
      ),
      'clock Date.now',
    ],
    [
      mixed("function* body(context) { Date.now(); }\ndurable.app.orchestration('Order', body);"),
      'clock Date.now',
    ],
    [
      mixed(
        "import { app } from 'durable-functions';\napp.orchestration('Order', traced(function* (context) { Date.now(); }));",
      ),
      'clock Date.now',
    ],
    [
      mixed("workflow('Order', function* (context) { Date.now(); });", { wrappers: ['workflow'] }),
      'clock Date.now',
    ],
    [
      mixed(
        "export default orchestrator<Input>('Order', function* (context) { Date.now(); } satisfies Body);",
      ),
      'clock Date.now',
    ],
  ],
});
