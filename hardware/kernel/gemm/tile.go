package gemm

import (
	"unsafe"

	"github.com/deepnarrow/deepnarrow/hardware/kernel/isa"
)

// tile is the register tile of an instruction path with its two routines.
type tile struct {
	rows, cols int
	// kernel multiplies rows × depth of A with panels of B that lie one after the other, and stores or adds the tiles to C,
	// side by side.
	kernel func(rows, depth int, a []float32, rowStride, colStride int, b, c []float32, cStride, panels int, add bool)
	// pack fills len(dst)/cols rows of one panel from the first valid columns of b.
	pack func(dst, b []float32, rowStride, colStride, valid int)
	// copies is set where the kernel reads A fast enough for its stride to matter.
	copies bool
}

func tileOf(path isa.Path) tile {
	if t, ok := vectorTile(path); ok {
		return t
	}
	return tile{rows: goRows, cols: goCols, kernel: goKernel, pack: goPack}
}

// copiesA reports whether the rows of A should be copied before tiles of the given number of columns are computed.
func (t tile) copiesA(a Matrix, columns int) bool {
	if !t.copies || columns < 2*t.cols {
		return false
	}
	return a.Col != 1 || a.Row%256 == 0
}

// aligned returns n zeros that start on a cache line.
func aligned(n int) []float32 {
	const line = 64 / 4
	data := make([]float32, n+line-1)
	past := int(uintptr(unsafe.Pointer(unsafe.SliceData(data)))/4) % line
	return data[(line-past)%line:][:n:n]
}
