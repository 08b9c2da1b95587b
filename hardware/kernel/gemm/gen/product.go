package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// unroll is how many steps of the inner dimension one turn of the kernel's loop takes.
const unroll = 4

// products generates the kernels of every height and the packing routines of one path.
func products(c *build.Context, v isa) {
	for rows := 1; rows <= v.rows; rows++ {
		kernel(c, v, rows)
	}
	packRows(c, v)
	if v.width == 32 {
		packColumns(c) // 8×8 floats at a time: the AVX-512 path uses it too
	}
}

// lines addresses rows of a matrix: groups of five rows, each with its own base register, reach
// every row without a multiply.
type lines struct {
	bases           []reg.GPVirtual
	stride, stride3 reg.GPVirtual
}

const linesPerBase = 5

// addressLines makes the bases for the given number of rows that start at base and are stride bytes
// apart.
func addressLines(c *build.Context, base, stride reg.GPVirtual, rows int) lines {
	l := lines{bases: []reg.GPVirtual{base}, stride: stride}
	if rows > 3 {
		l.stride3 = c.GP64()
		c.LEAQ(operand.Mem{Base: stride, Index: stride, Scale: 2}, l.stride3)
	}
	for first := linesPerBase; first < rows; first += linesPerBase {
		next := c.GP64()
		c.LEAQ(operand.Mem{Base: l.bases[len(l.bases)-1], Index: stride, Scale: 4}, next)
		c.ADDQ(stride, next)
		l.bases = append(l.bases, next)
	}
	return l
}

// row returns the operand at bytes from the start of a row.
func (l lines) row(i, bytes int) operand.Mem {
	m := operand.Mem{Base: l.bases[i/linesPerBase], Disp: bytes}
	switch i % linesPerBase {
	case 1, 2, 4:
		m.Index, m.Scale = l.stride, uint8(i%linesPerBase)
	case 3:
		m.Index, m.Scale = l.stride3, 1
	}
	return m
}

// kernel generates the routine for one height of the register tile, which is two registers wide:
//
//	for each panel of B: C[i][j] (+)= Σ_k A[i][k]·B[k][j]   with i < rows, j < 2·width/4
//
// The sums live in registers over the whole of k; each step loads a row of B and broadcasts an
// element of A for each row.
func kernel(c *build.Context, v isa, rows int) {
	name := fmt.Sprintf("kernel%sx%d", v.name, rows)
	c.Function(name)
	c.Pragma("noescape")
	c.SignatureExpr(
		"func(depth int, a *float32, rowStride, colStride int, b, c *float32, cStride, panels, add int)")
	c.Doc(
		fmt.Sprintf(
			"%s multiplies %d rows of a, strides in bytes, with consecutive panels of b, depth×%d each,", name, rows, 2*v.width/4),
		"and stores the tiles side by side at c, or adds them there if add is not zero.",
	)
	sums, rest := v.registers[:2*rows], v.registers[2*v.rows:]
	b0, b1, broadcast := rest[0], rest[1], rest[2:]

	b := c.Load(c.Param("b"), c.GP64()).(reg.GPVirtual)
	to := c.Load(c.Param("c"), c.GP64()).(reg.GPVirtual)
	colStride := c.Load(c.Param("colStride"), c.GP64()).(reg.GPVirtual)

	c.Label("panel")
	for _, r := range sums {
		v.zero(c, r)
	}
	c.Comment("Ask for the tile of C now; it is wanted after the loop.")
	cStride := c.Load(c.Param("cStride"), c.GP64()).(reg.GPVirtual)
	out := addressLines(c, to, cStride, rows)
	for i := range rows {
		c.PREFETCHT0(out.row(i, 0))
		if v.width == 64 {
			c.PREFETCHT0(out.row(i, v.width))
		}
	}
	a := c.Load(c.Param("a"), c.GP64()).(reg.GPVirtual)
	in := addressLines(c, a, c.Load(c.Param("rowStride"), c.GP64()).(reg.GPVirtual), rows)
	step := func(k int) {
		c.VMOVUPS(at(b, 2*k*v.width), b0)
		c.VMOVUPS(at(b, (2*k+1)*v.width), b1)
		for i := range rows {
			x := broadcast[i%len(broadcast)]
			c.VBROADCASTSS(in.row(i, 0), x)
			c.VFMADD231PS(b0, x, sums[2*i])
			c.VFMADD231PS(b1, x, sums[2*i+1])
		}
		for _, base := range in.bases {
			c.ADDQ(colStride, base)
		}
	}
	left := c.Load(c.Param("depth"), c.GP64()).(reg.GPVirtual)
	c.SUBQ(operand.Imm(unroll), left)
	c.JLT(operand.LabelRef("tail"))
	c.Label("loop")
	for k := range unroll {
		step(k)
	}
	c.ADDQ(operand.U32(2*unroll*v.width), b)
	c.SUBQ(operand.Imm(unroll), left)
	c.JGE(operand.LabelRef("loop"))
	c.Label("tail")
	c.ADDQ(operand.Imm(unroll), left)
	c.JZ(operand.LabelRef("store"))
	c.Label("single")
	step(0)
	c.ADDQ(operand.U32(2*v.width), b)
	c.DECQ(left)
	c.JNZ(operand.LabelRef("single"))

	c.Label("store")
	out = addressLines(c, to, c.Load(c.Param("cStride"), c.GP64()).(reg.GPVirtual), rows)
	add := c.Load(c.Param("add"), c.GP64())
	c.TESTQ(add, add)
	c.JZ(operand.LabelRef("write"))
	for i := range rows {
		c.VADDPS(out.row(i, 0), sums[2*i], sums[2*i])
		c.VADDPS(out.row(i, v.width), sums[2*i+1], sums[2*i+1])
	}
	c.Label("write")
	for i := range rows {
		c.VMOVUPS(sums[2*i], out.row(i, 0))
		c.VMOVUPS(sums[2*i+1], out.row(i, v.width))
	}
	c.ADDQ(operand.U32(2*v.width), to)
	panels, err := c.Param("panels").Resolve()
	if err != nil {
		panic(err)
	}
	c.DECQ(panels.Addr)
	c.JNZ(operand.LabelRef("panel"))
	c.VZEROUPPER()
	c.RET()
}
