package gemm

// copiedTiles is how many register tiles of rows of A are copied at a time: with AVX-512, 112 rows × maxDepth, 230 KB.
const copiedTiles = 8

// copyPad is added to the stride of a copy of A, in elements: it keeps its rows out of each other's cache sets.
const copyPad = 16

// scratch is the packed operands of one worker.
type scratch struct {
	a []float32 // copy of rows of A
	b []float32 // panels of B: [panel][k][tile columns]
	c []float32 // one register tile, for the edge columns of C
}

func newScratch(t tile) scratch {
	rows := copiedTiles * t.rows
	return scratch{
		a: aligned(max(rows*(maxDepth+copyPad), maxDepth*(rows+copyPad))),
		b: aligned(maxDepth * (maxColumns + t.cols)),
		c: aligned(t.rows * t.cols),
	}
}

// packA copies rows×depth elements of A and returns the copy with its strides: row by row where that is how A lies, column by
// column where columns are contiguous, so that both sides are read and written in order.
func (w *scratch) packA(a []float32, rowStride, colStride, rows, depth int) (dst []float32, dstRow, dstCol int) {
	if rowStride == 1 && colStride != 1 {
		stride := rows + copyPad
		for k := range depth {
			copy(w.a[k*stride:][:rows], a[k*colStride:][:rows])
		}
		return w.a, 1, stride
	}
	stride := depth + copyPad
	for i := range rows {
		dst := w.a[i*stride:][:depth]
		if colStride == 1 {
			copy(dst, a[i*rowStride:][:depth])
			continue
		}
		for k := range dst {
			dst[k] = a[i*rowStride+k*colStride]
		}
	}
	return w.a, stride, 1
}

// stripDepth is how many rows of B are packed before going on to the next panel: few enough to stay in the address translation
// cache, so that B is read along its rows.
const stripDepth = 32

// packB packs depth×cols elements of B into panels of t.cols columns, zero-padded.
func (w *scratch) packB(t tile, b []float32, rowStride, colStride, depth, cols int) {
	for k0 := 0; k0 < depth; k0 += stripDepth {
		k1 := min(k0+stripDepth, depth)
		for j := 0; j < cols; j += t.cols {
			t.pack(w.b[(j*depth + k0*t.cols):][:(k1-k0)*t.cols], b[k0*rowStride+j*colStride:], rowStride, colStride, min(t.cols, cols-j))
		}
	}
}

// packPanel fills one panel, dst = [k][width], from the first cols columns of b.
func packPanel(width int, dst, b []float32, rowStride, colStride, cols int) {
	for k := 0; k*width < len(dst); k++ {
		row := dst[k*width:][:width]
		for j := range cols {
			row[j] = b[k*rowStride+j*colStride]
		}
		clear(row[cols:])
	}
}
