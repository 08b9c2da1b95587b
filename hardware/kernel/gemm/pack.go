package gemm

// copiedTiles is how many register tiles of rows of A are copied at a time.
const copiedTiles = 8

// copyPad is added to the stride of a copy of A, in elements: it keeps its rows or columns out of
// each other's cache sets.
const copyPad = 16

// scratch is the packed operands of one worker.
type scratch struct {
	a []float32 // copy of rows of A; nil where the tile reads A in place
	b []float32 // panels of B: [panel][k][tile columns]
	c []float32 // one register tile, for the edge columns of C
}

func newScratch(t tile) scratch {
	s := scratch{
		b: aligned(maxDepth * (maxColumns + t.cols)),
		c: aligned(t.rows * t.cols),
	}
	if t.copyA != nil {
		rows := copiedTiles * t.rows
		s.a = aligned(max(maxDepth*(rows+copyPad), rows*(maxDepth+copyPad)))
	}
	return s
}

// copyColumns copies rows×depth elements of A, whose columns are contiguous, column by column, and
// returns the strides of the copy.
func copyColumns(dst, a []float32, colStride, rows, depth int) (dstRow, dstCol int) {
	stride := rows + copyPad
	for k := range depth {
		copy(dst[k*stride:][:rows], a[k*colStride:][:rows])
	}
	return 1, stride
}

// transposeColumns is copyColumns for kernels that want rows contiguous.
func transposeColumns(dst, a []float32, colStride, rows, depth int) (dstRow, dstCol int) {
	stride := depth + copyPad
	for k := range depth {
		for i, v := range a[k*colStride:][:rows] {
			dst[i*stride+k] = v
		}
	}
	return stride, 1
}

// How many rows of B are packed before going on to the next panel. Where rows of B are contiguous,
// few enough to stay in the address translation cache while B is read along its rows; where columns
// are, enough to read whole cache lines of each, and few enough for the part of the panel to stay
// in the L1 cache.
const (
	stripOfRows    = 32
	stripOfColumns = 64
)

// packB packs depth×cols elements of B into panels of t.cols columns, zero-padded.
func (w *scratch) packB(t tile, b []float32, rowStride, colStride, depth, cols int) {
	strip := func(k0, k1, j int) {
		t.pack(w.b[j*depth+k0*t.cols:][:(k1-k0)*t.cols], b[k0*rowStride+j*colStride:], rowStride,
			colStride, min(t.cols, cols-j))
	}
	if colStride == 1 {
		for k := 0; k < depth; k += stripOfRows {
			for j := 0; j < cols; j += t.cols {
				strip(k, min(k+stripOfRows, depth), j)
			}
		}
		return
	}
	for j := 0; j < cols; j += t.cols {
		for k := 0; k < depth; k += stripOfColumns {
			strip(k, min(k+stripOfColumns, depth), j)
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
