// Spans of time in order of their begin, with sums of the worked time, for the rules of a chain.

function firstAbove(values, bound) {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

function firstFrom(values, bound) {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

export class Spans {
  constructor() {
    this.begins = [];
    this.ends = [];
    this.sums = [];
  }

  add(begin, end, worked = 0) {
    const place = firstAbove(this.begins, begin);
    const sum = (place > 0 ? this.sums[place - 1] : 0) + worked;
    if (place === this.begins.length) {
      this.begins.push(begin);
      this.ends.push(end);
      this.sums.push(sum);
    } else {
      this.begins.splice(place, 0, begin);
      this.ends.splice(place, 0, end);
      this.sums.splice(place, 0, sum);
    }
  }

  // Give [first, past the last] of the spans that share time with [begin, end).
  touching(begin, end) {
    return [firstAbove(this.ends, begin), firstFrom(this.begins, end)];
  }

  touches(begin, end) {
    const [first, last] = this.touching(begin, end);
    return first < last;
  }

  worked([first, last]) {
    return this.sums[last - 1] - (first > 0 ? this.sums[first - 1] : 0);
  }
}
