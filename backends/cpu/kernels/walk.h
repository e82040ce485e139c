// Positions of a row-major walk over a few axes with arbitrary strides.
#pragma once

// walk_to decodes position pos into indices and returns the offset in elements.
INL int64_t walk_to(int64_t *idx, int64_t pos, int64_t d, const int64_t *shape, const int64_t *stride) {
	int64_t off = 0;
	for (int64_t a = d - 1; a >= 0; a--) {
		idx[a] = pos % shape[a];
		pos /= shape[a];
		off += idx[a] * stride[a];
	}
	return off;
}

// walk_next moves to the next position and returns the change of the offset.
INL int64_t walk_next(int64_t *idx, int64_t d, const int64_t *shape, const int64_t *stride) {
	int64_t step = 0;
	for (int64_t a = d - 1; a >= 0; a--) {
		step += stride[a];
		if (++idx[a] < shape[a]) return step;
		step -= shape[a] * stride[a];
		idx[a] = 0;
	}
	return step;
}

// walk_offset is the offset of pos alone.
INL int64_t walk_offset(int64_t pos, int64_t d, const int64_t *shape, const int64_t *stride) {
	int64_t off = 0;
	for (int64_t a = d - 1; a >= 0; a--) {
		off += pos % shape[a] * stride[a];
		pos /= shape[a];
	}
	return off;
}
