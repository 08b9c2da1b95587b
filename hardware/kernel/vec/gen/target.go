package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// target is an instruction set: AVX2 (8 lanes of float32, tail masks in vector registers) or
// AVX-512 (16 lanes, mask registers).
type target struct {
	suffix    string
	lanes     int
	wide      bool
	constants map[uint32]Mem // 32 bytes of one repeated float32 each
	tailTable *Mem           // AVX2: 8 lanes of ones, then 8 of zeros
}

// block is one vector's worth of a loop: its place and, at the end of a row, which lanes exist.
type block struct {
	index reg.Register // elements done before this turn of the loop
	u     int          // which of the unrolled vectors
	mask  reg.Register // nil when every lane exists
}

// kernel is a function under construction.
type kernel struct {
	*target
	n reg.GPVirtual // elements left
}

// function opens an assembly function; the slice named by length gives the number of elements.
func (t *target) function(name, signature, length, doc string) *kernel {
	TEXT(name+t.suffix, NOSPLIT, signature)
	Pragma("noescape")
	Doc(name + t.suffix + " " + doc)
	n := GP64()
	Load(Param(length).Len(), n)
	return &kernel{target: t, n: n}
}

func (k *kernel) pointer(name string) reg.Register { return Load(Param(name).Base(), GP64()) }

// scalar is the float32 parameter of that name in every lane.
func (k *kernel) scalar(name string) reg.VecVirtual {
	c, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	r := k.vector()
	VBROADCASTSS(c.Addr, r)
	return r
}

func (t *target) vector() reg.VecVirtual {
	if t.wide {
		return ZMM()
	}
	return YMM()
}

func (t *target) zero() reg.VecVirtual {
	r := t.vector()
	if t.wide {
		VPXORD(r, r, r)
	} else {
		VXORPS(r, r, r)
	}
	return r
}

func (t *target) zeros(n int) []reg.VecVirtual {
	rs := make([]reg.VecVirtual, n)
	for i := range rs {
		rs[i] = t.zero()
	}
	return rs
}

func (t *target) bits(v uint32) Mem {
	if t.constants == nil {
		t.constants = map[uint32]Mem{}
	}
	if m, ok := t.constants[v]; ok {
		return m
	}
	m := GLOBL(fmt.Sprintf("lane%08x%s", v, t.suffix), RODATA|NOPTR)
	for i := range 8 {
		DATA(4*i, U32(v))
	}
	t.constants[v] = m
	return m
}

// broadcast is v in every lane of a register.
func (t *target) broadcast(v float32) reg.VecVirtual { return t.broadcastBits(math.Float32bits(v)) }

func (t *target) broadcastBits(v uint32) reg.VecVirtual {
	r := t.vector()
	VBROADCASTSS(t.bits(v), r)
	return r
}

// constant is v as an operand: a register where there are 32, memory where there are 16.
func (t *target) constant(v float32) Op {
	if t.wide {
		return t.broadcast(v)
	}
	return t.bits(math.Float32bits(v))
}

func (k *kernel) address(p reg.Register, b block) Mem {
	return Mem{Base: p, Index: b.index, Scale: 4, Disp: 4 * b.u * k.lanes}
}

// load reads a vector; lanes past the end are zero.
func (k *kernel) load(p reg.Register, b block) reg.VecVirtual {
	r, m := k.vector(), k.address(p, b)
	switch {
	case b.mask == nil:
		VMOVUPS(m, r)
	case k.wide:
		VMOVUPS_Z(m, b.mask, r)
	default:
		VMASKMOVPS(m, b.mask, r)
	}
	return r
}

func (k *kernel) store(r, p reg.Register, b block) {
	m := k.address(p, b)
	switch {
	case b.mask == nil:
		VMOVUPS(r, m)
	case k.wide:
		VMOVUPS(r, b.mask, m)
	default:
		VMASKMOVPS(r, b.mask, m)
	}
}

// only clears the lanes of r past the end.
func (k *kernel) only(r reg.Register, b block) {
	switch {
	case b.mask == nil:
	case k.wide:
		VMOVAPS_Z(r, b.mask, r)
	default:
		VANDPS(b.mask, r, r)
	}
}

// orElse sets the lanes of r past the end to those of other.
func (k *kernel) orElse(r, other reg.Register, b block) {
	switch {
	case b.mask == nil:
	case k.wide:
		VBLENDMPS(r, other, b.mask, r)
	default:
		VBLENDVPS(b.mask, r, other, r)
	}
}

// loop walks the rows: unroll vectors a turn, then one a turn, then the masked rest. It consumes
// the element count.
func (k *kernel) loop(unroll int, body func(block)) {
	index := GP64()
	XORQ(index, index)
	if unroll > 1 {
		k.turns("unrolled", "single", unroll, index, body)
	}
	k.turns("single", "tail", 1, index, body)
	Label("tail")
	TESTQ(k.n, k.n)
	JE(LabelRef("done"))
	body(block{index: index, mask: k.tailMask()})
	Label("done")
}

func (k *kernel) turns(label, next string, unroll int, index reg.Register, body func(block)) {
	Label(label)
	CMPQ(k.n, U32(unroll*k.lanes))
	JL(LabelRef(next))
	for u := range unroll {
		body(block{index: index, u: u})
	}
	ADDQ(U32(unroll*k.lanes), index)
	SUBQ(U32(unroll*k.lanes), k.n)
	JMP(LabelRef(label))
}

func (k *kernel) tailMask() reg.Register {
	if k.wide {
		bits, mask := GP32(), K()
		MOVQ(k.n, reg.RCX)
		MOVL(U32(1), bits)
		SHLL(reg.CL, bits)
		DECL(bits)
		KMOVW(bits, mask)
		return mask
	}
	if k.tailTable == nil {
		m := GLOBL("tail"+k.suffix, RODATA|NOPTR)
		for i := range 8 {
			DATA(4*i, U32(0xffffffff))
		}
		for i := 8; i < 16; i++ {
			DATA(4*i, U32(0))
		}
		k.tailTable = &m
	}
	table, skip, mask := GP64(), GP64(), YMM()
	LEAQ(*k.tailTable, table)
	MOVQ(U32(8), skip)
	SUBQ(k.n, skip)
	VMOVUPS(Mem{Base: table, Index: skip, Scale: 4}, mask)
	return mask
}

// end closes a function without a result.
func (k *kernel) end() {
	VZEROUPPER()
	RET()
}

// endFloat closes a function with the lowest lane of r as its result.
func (k *kernel) endFloat(r reg.Register) {
	VZEROUPPER()
	Store(r, ReturnIndex(0))
	RET()
}
