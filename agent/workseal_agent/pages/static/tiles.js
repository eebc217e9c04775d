// Tiles as bits, and boxes as tiles: a box to hide is rounded outward, one to show inward, as the
// agent rounds them.

export const unpack = (text, count) => {
  const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
  return Uint8Array.from({ length: count }, (_, at) => (bytes[at >> 3] >> (at & 7)) & 1);
};

export const pack = (bits) => {
  const bytes = new Uint8Array(Math.ceil(bits.length / 8));
  bits.forEach((bit, at) => { bytes[at >> 3] |= bit << (at & 7); });
  return btoa(String.fromCharCode(...bytes));
};

// The tiles of a box, in columns and rows: [first, last) on each side.
export const touched = (start, end, side, tile) => {
  const [low, high] = [Math.max(start, 0), Math.min(end, side)];
  return low < high ? [Math.floor(low / tile), Math.ceil(high / tile)] : [0, 0];
};

export const covered = (start, end, side, tile) => [
  Math.ceil(Math.max(start, 0) / tile),
  end >= side ? Math.ceil(side / tile) : Math.floor(Math.max(end, 0) / tile),
];

export const between = (one, other) => ({
  left: Math.min(one.x, other.x), right: Math.max(one.x, other.x),
  top: Math.min(one.y, other.y), bottom: Math.max(one.y, other.y),
});
