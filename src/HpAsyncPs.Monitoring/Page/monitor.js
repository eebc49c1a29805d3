// The page: takes what /events sends, and shows it. Text goes in as text, never as HTML.

const byId = id => document.getElementById(id);
const mostPoints = 4096, mostRows = 64, mostEvents = 200, mostAttention = 20;
const reasons = new Map(); // of the last change of state, by rank
let points = [], last = null, lastEvent = 0, server = '', isOver = false, lastNews = performance.now(), lostAt = 0;

readPalette();
const lanes = new Strip(byId('lanes'), paintState, row => row + ' ' + (last ? last.states[row].toUpperCase() : ''));
let heatMost = 1;
const heat = new Strip(byId('heat'), (context, x, y, width, height, lag) => {
  if (lag === null || lag === undefined) return;
  context.fillStyle = mixed(Math.min(1, Math.log1p(lag) / Math.log1p(heatMost)));
  context.fillRect(x, y, width, height + 1);
}, row => String(row));

function bytes(value) {
  if (value === null) return '–';
  for (const unit of ['B', 'kB', 'MB', 'GB']) {
    if (value < 1000) return Number(value.toPrecision(3)) + ' ' + unit;
    value /= 1000;
  }
  return Number(value.toPrecision(4)) + ' TB';
}

const number = (value, digits = 4) => value === null || value === undefined ? '–' : Math.abs(value) >= 1e5 ? Math.round(value).toLocaleString('en') : Number(value.toPrecision(digits)).toString();
const whole = value => value.toLocaleString('en');

// id, title, value, what is shown, small print
const tiles = [
  ['objective', 'objective', run => run.objective, run => number(run.objective, 6), run => run.relative_gap === null ? '' : 'gap ' + run.relative_gap.toExponential(2)],
  ['test_rmse', 'test RMSE', run => run.test_rmse, run => number(run.test_rmse, 5), () => ''],
  ['pushes', 'pushes', run => run.pushes, run => whole(run.pushes), run => run.pushes_per_second === null ? '' : number(run.pushes_per_second, 3) + ' a second'],
  ['passes', 'passes', run => run.passes, run => number(run.passes), run => 'in ' + number(run.seconds, 3) + ' s'],
  ['uplink_bytes', 'received', run => run.uplink_bytes, run => bytes(run.uplink_bytes), run => bytes(run.uplink_bytes_per_second) + '/s'],
  ['downlink_bytes', 'sent', run => run.downlink_bytes, run => bytes(run.downlink_bytes), run => bytes(run.downlink_bytes_per_second) + '/s'],
  ['lag', 'version lag, median', run => run.lag_versions && run.lag_versions.p50, run => run.lag_versions ? number(run.lag_versions.p50, 3) : '–', run => run.lag_versions ? '99 %: ' + number(run.lag_versions.p99, 3) + ', most ' + number(run.lag_versions.max, 3) : ''],
  ['joined', 'workers joined', run => run.joined, run => run.joined + ' of ' + run.workers, run => Object.entries(run.states).filter(([, count]) => count > 0).map(([name, count]) => count + ' ' + name).join(', ')],
  ['policy', 'policy, codec', () => null, run => run.policy, run => run.codec],
  ['journal', 'journal', run => run.journal_behind_bytes, run => run.has_journal ? bytes(run.journal_bytes) : 'none', run => run.has_journal ? bytes(run.journal_behind_bytes) + ' behind' : ''],
  ['connections', 'connections', run => run.connections, run => whole(run.connections), run => bytes(run.connection_bytes) + ' of ' + bytes(run.connection_limit_bytes)],
  ['refused', 'refused', run => refusals(run), run => whole(refusals(run)), () => 'handshakes and frames'],
];

const sum = counts => Object.values(counts).reduce((all, one) => all + one, 0);
const refusals = run => sum(run.failed_handshakes) + sum(run.refused_frames);

for (const [id, title] of tiles) {
  const tile = document.createElement('div'), name = document.createElement('dt'), value = document.createElement('dd'), small = document.createElement('small');
  name.textContent = title;
  value.id = 'tile-' + id;
  value.append(document.createTextNode('–'), small);
  tile.append(name, value);
  byId('tiles').append(tile);
}

function drawLegend() {
  byId('legend').replaceChildren(...Object.entries(stateNames).map(([letter, name]) => {
    const item = document.createElement('li'), sample = document.createElement('canvas');
    [sample.width, sample.height] = [52, 24];
    const context = sample.getContext('2d');
    for (let j = 0; j < 13; j++) paintState(context, j * 4, 0, 4, 24, letter, j);
    item.append(sample, document.createTextNode(letter.toUpperCase() + ' ' + name));
    return item;
  }));
}

function took(tick) {
  of(tick.server);
  const isNew = !last || tick.number !== last.number;
  last = tick;
  lastNews = performance.now();
  byId('phase').textContent = tick.run.phase;
  document.title = 'HpAsyncPs: ' + tick.run.phase + (tick.run.states.gone ? ', ' + tick.run.states.gone + ' gone' : '');
  for (const [id, , value, text, small] of tiles) {
    const element = byId('tile-' + id);
    element.dataset.value = value(tick.run) ?? '';
    element.firstChild.data = text(tick.run);
    element.lastChild.textContent = small(tick.run);
  }
  if (isNew) {
    if (tick.run.seconds > 0) points.push([tick.run.seconds, tick.run.objective]);
    while (points.length > mostPoints) points = points.filter((_, j) => j % 2 === 0);
    const most = Math.max(1, ...tick.lag_versions_p50.filter(one => one !== null));
    lanes.add(tick.states, tick.states.length);
    const isWider = most > heatMost;
    heatMost = Math.max(heatMost, most);
    heat.add(tick.lag_versions_p50, tick.states.length);
    if (isWider) heat.draw();
    byId('scale-most').textContent = number(heatMost, 3);
    drawCurve(byId('curve'), points, 'objective');
  }
  byId('lanes').setAttribute('aria-label', 'lanes of ' + tick.states.length + ' workers: ' + Object.entries(tick.run.states).filter(([, count]) => count > 0).map(([name, count]) => count + ' ' + name).join(', '));
  fillTable();
  fillAttention();
  choose(lanes.chosen);
  document.body.dataset.number = tick.number;
}

// Another server has taken the place of the one before: its numbers begin anew.
function of(name) {
  if (server && server !== name) restarted();
  server = name;
}

function restarted() {
  [points, lanes.columns, heat.columns, last, lastEvent, heatMost] = [[], [], [], null, 0, 1];
  byId('events').replaceChildren();
  reasons.clear();
  readHistory();
}

function cells(rank) {
  return [last.pushes[rank], last.lag_versions_p50[rank], last.push_seconds_p50[rank], last.seconds_since_heard[rank]].map((value, j) => j === 0 ? whole(value) : number(value, 3));
}

function fillTable() {
  const count = last.states.length, trouble = 'stgl';
  const ranks = [];
  for (let rank = 0; rank < count && ranks.length < mostRows; rank++) if (count <= mostRows || trouble.includes(last.states[rank])) ranks.push(rank);
  byId('table-hint').textContent = count <= mostRows ? '' : ranks.length ? 'Of ' + count + ' workers, the first ' + ranks.length + ' that are slow, stalled, gone or have left.' : 'None of ' + count + ' workers is slow, stalled or gone. Choose a lane to read one.';
  const table = byId('table');
  while (table.rows.length > ranks.length) table.deleteRow(-1);
  while (table.rows.length < ranks.length) {
    const row = table.insertRow();
    for (let j = 0; j < 6; j++) row.insertCell();
    const mark = document.createElement('span');
    mark.className = 'mark';
    row.cells[1].append(mark, document.createTextNode(''));
  }
  ranks.forEach((rank, j) => {
    const row = table.rows[j], letter = last.states[rank], name = stateNames[letter];
    row.id = 'worker-' + rank;
    row.dataset.state = name;
    row.dataset.pushes = last.pushes[rank];
    row.cells[0].textContent = rank;
    row.cells[1].firstChild.textContent = letter.toUpperCase();
    row.cells[1].firstChild.style.background = palette[name];
    row.cells[1].lastChild.data = name;
    cells(rank).forEach((text, at) => { row.cells[at + 2].textContent = text; });
  });
}

function fillAttention() {
  const items = [];
  let count = 0;
  for (let rank = 0; rank < last.states.length; rank++) {
    if (!'stg'.includes(last.states[rank]) || ++count > mostAttention) continue;
    const item = document.createElement('li');
    item.textContent = 'Worker ' + rank + ' is ' + stateNames[last.states[rank]] + (reasons.has(rank) ? ': ' + reasons.get(rank) : '');
    items.push(item);
  }
  if (count > mostAttention) {
    const more = document.createElement('li');
    more.textContent = 'and ' + (count - mostAttention) + ' more';
    items.push(more);
  }
  byId('attention-section').hidden = items.length === 0;
  byId('attention').replaceChildren(...items);
}

function choose(rank) {
  if (!last || rank < 0 || rank >= last.states.length) return;
  lanes.chosen = heat.chosen = rank;
  lanes.labels();
  heat.labels();
  const [pushes, lag, seconds, heard] = cells(rank);
  byId('chosen').textContent = 'Worker ' + rank + ': ' + stateNames[last.states[rank]] + ', ' + pushes + ' pushes, version lag ' + lag + ', ' + seconds + ' s a push, heard of ' + heard + ' s ago'
    + (reasons.has(rank) ? '. ' + reasons.get(rank) : '');
}

function happened(one) {
  if (one.number <= lastEvent) return;
  lastEvent = one.number;
  if (one.kind === 'evaluation') return; // the curve has it, and the list would have little else
  if (one.kind === 'state' && one.rank !== null) reasons.set(one.rank, one.reason);
  const item = document.createElement('li'), time = document.createElement('time'), kind = document.createElement('b');
  time.dateTime = one.time;
  time.textContent = new Date(one.time).toLocaleTimeString();
  time.title = one.time + ', ' + number(one.seconds, 5) + ' s';
  kind.textContent = one.kind === 'state' ? 'worker ' + one.rank + ' ' + one.from + ' → ' + one.to : one.kind + (one.rank === null ? '' : ', worker ' + one.rank);
  item.append(time, kind, document.createTextNode(one.reason));
  item.dataset.number = one.number;
  byId('events').prepend(item);
  while (byId('events').childElementCount > mostEvents) byId('events').lastChild.remove();
}

function say(text, isLost = false) {
  const element = byId('connection');
  if (element.textContent !== text) element.textContent = text;
  element.classList.toggle('lost', isLost);
}

function connect() {
  const events = new EventSource('/events');
  events.onopen = () => { lostAt = 0; lastNews = performance.now(); say('connected'); };
  events.addEventListener('status', message => took(JSON.parse(message.data)));
  events.addEventListener('happened', message => { of(message.lastEventId.split('-')[0]); happened(JSON.parse(message.data)); });
  events.addEventListener('ended', () => {
    isOver = true;
    events.close();
    say('the job has ended, and its server with it: these are its last numbers. Looking whether there is another.');
    lostAt = 0;
    setTimeout(again, 5000);
  });
  events.onerror = () => {
    if (isOver) return;
    lostAt ||= performance.now();
    if (events.readyState === EventSource.CLOSED) setTimeout(connect, 2000); // it was answered, but not with events
  };
}

// After the end: the next job may have the same port.
function again() {
  fetch('/healthz').then(answer => { if (answer.ok) { isOver = false; connect(); } else setTimeout(again, 5000); }, () => setTimeout(again, 5000));
}

function readHistory() {
  fetch('/history').then(answer => answer.json()).then(all => {
    const before = all.seconds.map((seconds, j) => [seconds, all.objective[j]]);
    const from = before.length ? before[before.length - 1][0] : 0;
    points = before.concat(points.filter(point => point[0] > from));
    drawCurve(byId('curve'), points, 'objective');
  }, () => {}); // the connection says so itself
}

setInterval(() => {
  if (isOver) return;
  const silent = Math.round((performance.now() - (lostAt || lastNews)) / 1000);
  if (lostAt) say('connection to the server lost ' + silent + ' s ago; trying again', true);
  else if (silent > 5) say('no news for ' + silent + ' s', true);
  else if (last) say('connected');
}, 1000);

function layout() {
  readPalette();
  drawLegend();
  lanes.layout();
  heat.layout();
  drawCurve(byId('curve'), points, 'objective');
}

let pending = 0;
window.addEventListener('resize', () => { clearTimeout(pending); pending = setTimeout(layout, 100); });
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', layout);
byId('lanes').addEventListener('click', event => choose(lanes.rowAt(event)));
byId('heat').addEventListener('click', event => choose(heat.rowAt(event)));
byId('lanes').addEventListener('keydown', event => {
  const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -1e9, End: 1e9 }[event.key];
  if (!step || !last) return;
  event.preventDefault();
  choose(Math.max(0, Math.min(last.states.length - 1, lanes.chosen + step)));
});
layout();
readHistory();
connect();
