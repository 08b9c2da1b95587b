package gemm

import (
	"unsafe"

	"github.com/deepnarrow/deepnarrow/hardware/kernel/isa"
)

// tile is the register tile of an instruction path with its two routines.
type tile struct {
	rows, cols int
	// kernel multiplies rows × depth of A with panels of B that lie one after the other, and stores
	// or adds the tiles to C, side by side.
	kernel func(rows, depth int, a []float32, rowStride, colStride int, b, c []float32, cStride,
		panels int, add bool)
	// pack fills len(dst)/cols rows of one panel from the first valid columns of b.
	pack func(dst, b []float32, rowStride, colStride, valid int)
	// copyA copies rows of A before use where its columns are contiguous and copyFrom or more
	// elements apart; nil where the kernel reads any A in place. A low tile takes only part of each
	// cache line, and lines a power of two apart push each other out before the next tile needs
	// them. The distances are measured.
	copyA    func(dst, a []float32, colStride, rows, depth int) (dstRow, dstCol int)
	copyFrom int
}

func tileOf(path isa.Path) tile {
	if t, ok := vectorTile(path); ok {
		return t
	}
	return tile{
		rows: goRows, cols: goCols, kernel: goKernel, pack: goPack, copyA: transposeColumns,
		copyFrom: 2,
	}
}

// aligned returns n zeros that start on a cache line.
func aligned(n int) []float32 {
	const line = 64 / 4
	data := make([]float32, n+line-1)
	past := int(uintptr(unsafe.Pointer(unsafe.SliceData(data)))/4) % line
	return data[(line-past)%line:][:n:n]
}
