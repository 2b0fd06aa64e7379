// A sheet to sign on. What is drawn leaves as one JSON text when "done" is pressed, and not before.
const WIDTH = 720, HEIGHT = 240;  // units of the sheet, whatever its size on the screen
const SHARPER = 2;  // pixels of the canvas in a unit
const LINE = 0.5 / 25.4 * 96;  // units; as wide as the picture of it is drawn
const KINDS = ["pen", "touch", "mouse"];
const pads = new WeakMap();  // root of a mounted pad → what stands on it; a rerun of the page keeps it

export default function ({ data, parentElement, setStateValue }) {
  let pad = pads.get(parentElement);
  if (!pad || !pad.canvas.isConnected) {
    pad = begin(parentElement, pad ? pad.strokes : []);
    pads.set(parentElement, pad);
  }
  pad.send = (text) => setStateValue("drawing", text);
  pad.words = data;
  pad.canvas.setAttribute("aria-label", data.label);
  for (const name of ["undo", "clear", "done"]) pad.buttons[name].textContent = data[name];
  show(pad);
}

function begin(root, strokes) {
  const canvas = root.querySelector("canvas");
  canvas.width = WIDTH * SHARPER;
  canvas.height = HEIGHT * SHARPER;
  const buttons = {};
  for (const name of ["undo", "clear", "done"]) buttons[name] = root.querySelector(`[data-act=${name}]`);
  const pad = { canvas, buttons, told: root.querySelector("[role=status]"), strokes, pointer: null, sent: false, pens: false };
  canvas.addEventListener("pointerdown", (event) => down(pad, event));
  canvas.addEventListener("pointermove", (event) => move(pad, event));
  for (const kind of ["pointerup", "pointercancel"]) canvas.addEventListener(kind, (event) => lift(pad, event));
  buttons.undo.addEventListener("click", () => changed(pad, pad.strokes.slice(0, -1)));
  buttons.clear.addEventListener("click", () => changed(pad, []));
  buttons.done.addEventListener("click", () => done(pad));
  return pad;
}

function down(pad, event) {
  pad.pens ||= event.pointerType === "pen";
  const palm = pad.pens && event.pointerType === "touch";
  if (pad.pointer !== null || palm || !event.isPrimary || event.button > 0) return;
  event.preventDefault();
  pad.canvas.setPointerCapture(event.pointerId);
  pad.pointer = event.pointerId;
  const pointer = KINDS.includes(event.pointerType) ? event.pointerType : "other";
  changed(pad, [...pad.strokes, { pointer, points: [pointOf(pad, event)] }]);
}

function move(pad, event) {
  if (event.pointerId !== pad.pointer) return;
  const every = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
  const stroke = pad.strokes[pad.strokes.length - 1];
  for (const one of every.length ? every : [event]) stroke.points.push(pointOf(pad, one));
  drawStrokes(pad);
}

function lift(pad, event) {
  if (event.pointerId === pad.pointer) pad.pointer = null;
}

function pointOf(pad, event) {
  const box = pad.canvas.getBoundingClientRect();
  const within = (value, most) => Math.min(Math.max(value, 0), most);
  const x = within((event.clientX - box.left) * WIDTH / box.width, WIDTH);
  const y = within((event.clientY - box.top) * HEIGHT / box.height, HEIGHT);
  const last = pad.strokes.length ? pad.strokes[pad.strokes.length - 1].points : [];
  const before = last.length ? last[last.length - 1][2] : 0;
  return [x, y, Math.max(event.timeStamp, before), within(event.pressure, 1)];
}

function changed(pad, strokes) {
  pad.strokes = strokes;
  if (pad.sent) {  // what was shown for a yes is not what stands here any more
    pad.sent = false;
    pad.send(null);
  }
  show(pad);
}

function done(pad) {
  const begun = pad.strokes[0].points[0][2];
  const rounded = (value, digits) => Number(value.toFixed(digits));
  const strokes = pad.strokes.map(({ pointer, points }) => ({
    pointer,
    points: points.map(([x, y, t, p]) => [rounded(x, 2), rounded(y, 2), rounded(t - begun, 1), rounded(p, 3)]),
  }));
  pad.sent = true;
  pad.send(JSON.stringify({ width: WIDTH, height: HEIGHT, strokes }));
}

function show(pad) {
  const none = pad.strokes.length === 0;
  for (const name of ["undo", "clear", "done"]) pad.buttons[name].disabled = none;
  pad.told.textContent = none ? pad.words.empty : `${pad.words.count} ${pad.strokes.length}`;
  drawStrokes(pad);
}

function drawStrokes(pad) {
  const pen = pad.canvas.getContext("2d");
  pen.setTransform(SHARPER, 0, 0, SHARPER, 0, 0);
  pen.fillStyle = "white";
  pen.fillRect(0, 0, WIDTH, HEIGHT);
  pen.strokeStyle = "black";
  pen.lineCap = "round";
  for (const { pointer, points } of pad.strokes) {
    points.forEach(([x, y, , pressure], k) => {
      const [fromX, fromY] = points[Math.max(k - 1, 0)];
      pen.lineWidth = (0.5 + (pointer === "pen" ? pressure : 0.5)) * LINE;
      pen.beginPath();
      pen.moveTo(fromX, fromY);
      pen.lineTo(x, y);
      pen.stroke();
    });
  }
}
