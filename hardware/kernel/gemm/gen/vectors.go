package main

import (
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// isa is what the generators need to know of an instruction path.
type isa struct {
	name      string
	width     int // bytes of a register
	rows      int // of the largest register tile
	registers []reg.VecPhysical
}

var (
	avx2 = isa{
		name: "AVX2", width: 32, rows: 6,
		registers: []reg.VecPhysical{
			reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4, reg.Y5, reg.Y6, reg.Y7,
			reg.Y8, reg.Y9, reg.Y10, reg.Y11, reg.Y12, reg.Y13, reg.Y14, reg.Y15,
		},
	}
	avx512 = isa{
		name: "AVX512", width: 64, rows: 14,
		registers: []reg.VecPhysical{
			reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7,
			reg.Z8, reg.Z9, reg.Z10, reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15,
			reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23,
			reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31,
		},
	}
)

// zero clears a register.
func (v isa) zero(c *build.Context, r reg.VecPhysical) {
	if v.width == 64 {
		c.VPXORD(r, r, r)
		return
	}
	c.VXORPS(r, r, r)
}

// at returns the operand at bytes from a base register.
func at(base reg.Register, bytes int) operand.Mem {
	return operand.Mem{Base: base, Disp: bytes}
}
