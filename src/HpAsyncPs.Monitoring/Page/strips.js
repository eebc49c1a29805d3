'use strict';
// Pictures on canvases: a strip has a row for each worker and a column for each second; a new second moves it to the left and paints one column, so it costs as much as there are workers.

const stateNames = { j: 'joining', c: 'computing', i: 'idle', e: 'evaluating', s: 'slow', t: 'stalled', g: 'gone', l: 'left' };

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();
}

let palette = {};
function readPalette() {
  palette = {};
  for (const name of ['back', 'panel', 'line', 'text', 'dim', 'curve', 'cold', 'hot', ...Object.values(stateNames)]) palette[name] = colour(name);
}

// States differ in shape too: computing fills its lane, idle is a thin line, evaluating the upper half, slow has gaps every other column, stalled is a lower half with gaps, gone is a line
// above and one below with nothing between, left is nothing but a dot.
function paintState(context, x, y, width, height, letter, column) {
  const name = stateNames[letter] || 'joining';
  context.fillStyle = palette[name];
  const thin = Math.max(1, Math.round(height / 5));
  const isOdd = column % 2 === 1;
  if (letter === 'c') context.fillRect(x, y, width, height);
  else if (letter === 'i' || letter === 'j') context.fillRect(x, y + Math.floor((height - thin) / 2), width, thin);
  else if (letter === 'e') context.fillRect(x, y, width, Math.max(1, Math.round(height / 2)));
  else if (letter === 's') { if (!isOdd) context.fillRect(x, y, width, height); else context.fillRect(x, y, width, thin); }
  else if (letter === 't') { if (!isOdd) context.fillRect(x, y + Math.floor(height / 2), width, Math.max(1, Math.ceil(height / 2))); }
  else if (letter === 'g') { context.fillRect(x, y, width, thin); context.fillRect(x, y + height - thin, width, thin); }
  else if (letter === 'l' && !isOdd) context.fillRect(x, y + Math.floor((height - thin) / 2), width, thin);
}

function mixed(share) {
  const parse = text => [1, 3, 5].map(at => parseInt(text.slice(at, at + 2), 16));
  const [cold, hot] = [parse(palette.cold), parse(palette.hot)];
  return 'rgb(' + cold.map((from, j) => Math.round(from + (hot[j] - from) * share)).join(',') + ')';
}

class Strip {
  // paint(context, x, y, width, height, value, column); label(row): the text at the left, or ''
  constructor(canvas, paint, label) {
    Object.assign(this, { canvas, paint, label, rows: 0, columns: [], count: 0, chosen: -1 });
    this.context = canvas.getContext('2d', { alpha: false });
  }

  get most() { return Math.max(1, Math.floor((this.canvas.width - this.margin) / this.step)); }

  layout() {
    const scale = window.devicePixelRatio || 1;
    const width = Math.max(1, Math.floor(this.canvas.parentElement.clientWidth * scale));
    this.height = Math.round(scale * Math.max(3, Math.min(20, Math.floor(360 / Math.max(1, this.rows)))));
    this.hasLabels = this.height >= 11 * scale;
    this.margin = this.hasLabels ? Math.round(64 * scale) : 0;
    this.step = Math.round(Math.max(3 * scale, width / 240)); // four minutes on a wide screen
    this.canvas.width = width;
    this.canvas.height = Math.max(1, this.rows * this.height);
    this.canvas.style.height = this.canvas.height / scale + 'px';
    this.font = Math.round(11 * scale) + 'px system-ui, sans-serif';
    this.draw();
  }

  // values: something with an element for each row
  add(values, rows) {
    this.count++;
    this.columns.push(values);
    if (this.columns.length > 2000) this.columns.splice(0, 1000);
    if (rows !== this.rows) {
      this.rows = rows;
      this.layout();
      return;
    }
    const { context, canvas, margin, step } = this;
    const width = this.most * step;
    context.drawImage(canvas, margin + step, 0, width - step, canvas.height, margin, 0, width - step, canvas.height);
    this.column(values, margin + width - step, this.count);
    this.labels();
  }

  column(values, x, number) {
    this.context.fillStyle = palette.panel;
    this.context.fillRect(x, 0, this.canvas.width - x, this.canvas.height);
    const gap = this.height > 6 ? 2 : 1;
    for (let row = 0; row < this.rows; row++) this.paint(this.context, x, row * this.height, this.step, this.height - gap, values[row], number);
  }

  labels() {
    if (!this.hasLabels) return;
    const { context } = this;
    context.fillStyle = palette.panel;
    context.fillRect(0, 0, this.margin, this.canvas.height);
    context.font = this.font;
    context.textBaseline = 'middle';
    for (let row = 0; row < this.rows; row++) {
      context.fillStyle = row === this.chosen ? palette.curve : palette.text;
      context.fillText((row === this.chosen ? '▸ ' : '') + this.label(row), 0, row * this.height + this.height / 2);
    }
  }

  draw() {
    const { context, canvas } = this;
    context.fillStyle = palette.panel;
    context.fillRect(0, 0, canvas.width, canvas.height);
    const shown = this.columns.slice(-this.most);
    const left = this.margin + (this.most - shown.length) * this.step;
    shown.forEach((values, j) => this.column(values, left + j * this.step, this.count - shown.length + 1 + j));
    this.labels();
  }

  rowAt(event) {
    const box = this.canvas.getBoundingClientRect();
    return Math.floor((event.clientY - box.top) / box.height * this.rows);
  }
}

// The objective against seconds, on a logarithmic scale where it is above 0 and falls far.
function drawCurve(canvas, points, name) {
  const scale = window.devicePixelRatio || 1;
  const [width, height] = [Math.floor(canvas.clientWidth * scale), Math.floor(canvas.clientHeight * scale)];
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext('2d');
  const known = points.filter(point => point[1] !== null);
  context.font = Math.round(11 * scale) + 'px system-ui, sans-serif';
  context.fillStyle = palette.dim;
  if (known.length < 2) {
    context.fillText('no objective yet: it comes with evaluated snapshots', 8 * scale, 20 * scale);
    return;
  }
  const values = known.map(point => point[1]);
  let [least, most] = [Math.min(...values), Math.max(...values)];
  const isLog = least > 0 && most / least > 20;
  const map = isLog ? Math.log : value => value;
  const [from, to] = [known[0][0], known[known.length - 1][0]];
  if (least === most) [least, most] = [least - Math.abs(least) * 0.01 - 1e-12, most + Math.abs(most) * 0.01 + 1e-12];
  const [left, bottom, top] = [64 * scale, height - 18 * scale, 8 * scale];
  const x = seconds => left + (seconds - from) / Math.max(1e-9, to - from) * (width - left - 8 * scale);
  const y = value => bottom - (map(value) - map(least)) / (map(most) - map(least)) * (bottom - top);
  context.strokeStyle = palette.line;
  context.lineWidth = scale;
  context.textBaseline = 'middle';
  for (let j = 0; j <= 4; j++) {
    const value = isLog ? Math.exp(map(least) + (map(most) - map(least)) * j / 4) : least + (most - least) * j / 4;
    context.beginPath();
    context.moveTo(left, y(value));
    context.lineTo(width, y(value));
    context.stroke();
    context.fillText(Number(value.toPrecision(4)).toString(), 0, y(value));
  }
  context.textBaseline = 'alphabetic';
  context.fillText(from.toFixed(0) + ' s', left, height - 2 * scale);
  context.textAlign = 'right';
  context.fillText(to.toFixed(0) + ' s', width - 2 * scale, height - 2 * scale);
  context.textAlign = 'left';
  context.strokeStyle = palette.curve;
  context.lineWidth = 2 * scale;
  context.beginPath();
  known.forEach((point, j) => j ? context.lineTo(x(point[0]), y(point[1])) : context.moveTo(x(point[0]), y(point[1])));
  context.stroke();
  canvas.setAttribute('aria-label', name + ' from ' + known[0][1].toPrecision(5) + ' at ' + from.toFixed(0) + ' s to ' + known[known.length - 1][1].toPrecision(5) + ' at ' + to.toFixed(0) + ' s');
}
