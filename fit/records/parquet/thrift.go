package parquet

import (
	"encoding/binary"
	"errors"
	"math"
)

// thrift is a value of the compact protocol of Thrift, in which Parquet writes its descriptions: a
// number, bytes, a list, or a struct whose fields go by number. A value that is absent is the zero
// value, and so are the fields of one that is not a struct.
//
// Source: thrift/doc/specs/thrift-compact-protocol.md.
type thrift struct {
	number int64
	bytes  []byte
	list   []thrift
	fields map[int]thrift
}

func (t thrift) at(field int) thrift   { return t.fields[field] }
func (t thrift) has(field int) bool    { _, ok := t.fields[field]; return ok }
func (t thrift) int(field int) int64   { return t.fields[field].number }
func (t thrift) text(field int) string { return string(t.fields[field].bytes) }

var errThrift = errors.New("a damaged description")

// thriftReader reads values from the front of its text. left bounds how many it makes, as lists of
// empty values take no text.
type thriftReader struct {
	text  []byte
	depth int
	left  int
}

const (
	thriftTrue = iota + 1
	thriftFalse
	thriftByte
	thriftI16
	thriftI32
	thriftI64
	thriftDouble
	thriftBinary
	thriftList
	thriftSet
	thriftMap
	thriftStruct
)

func (r *thriftReader) varint() uint64 {
	v, n := binary.Uvarint(r.text)
	if n <= 0 {
		panic(errThrift)
	}
	r.text = r.text[n:]
	return v
}

func zigzag(v uint64) int64 { return int64(v>>1) ^ -int64(v&1) }

func (r *thriftReader) byte() byte {
	b := r.take(1)
	return b[0]
}

func (r *thriftReader) take(n uint64) []byte {
	if n > uint64(len(r.text)) {
		panic(errThrift)
	}
	b := r.text[:n]
	r.text = r.text[n:]
	return b
}

// value reads a value of a type; it panics with errThrift.
func (r *thriftReader) value(kind byte) thrift {
	r.left--
	if r.depth++; r.depth > 24 || r.left < 0 {
		panic(errThrift)
	}
	defer func() { r.depth-- }()
	switch kind {
	case thriftTrue:
		return thrift{number: 1}
	case thriftFalse:
		return thrift{}
	case thriftByte:
		return thrift{number: int64(int8(r.byte()))}
	case thriftI16, thriftI32, thriftI64:
		return thrift{number: zigzag(r.varint())}
	case thriftDouble:
		return thrift{number: int64(math.Float64bits(float64(binary.LittleEndian.Uint64(r.take(8)))))}
	case thriftBinary:
		return thrift{bytes: r.take(r.varint())}
	case thriftList, thriftSet:
		head := r.byte()
		n, of := uint64(head>>4), head&15
		if n == 15 {
			n = r.varint()
		}
		var out thrift
		for range n {
			if of == thriftTrue || of == thriftFalse {
				out.list = append(out.list, thrift{number: int64(r.byte() & 1)})
			} else {
				out.list = append(out.list, r.value(of))
			}
		}
		return out
	case thriftStruct:
		out := thrift{fields: map[int]thrift{}}
		for field := 0; ; {
			head := r.byte()
			if head == 0 {
				return out
			}
			if delta := int(head >> 4); delta != 0 {
				field += delta
			} else {
				field = int(int16(zigzag(r.varint())))
			}
			out.fields[field] = r.value(head & 15)
		}
	}
	panic(errThrift) // maps do not occur
}

// caught, deferred, turns the panic of a reader into an error.
func caught(err *error, as error) {
	if p := recover(); p != nil {
		if p != error(errThrift) {
			panic(p)
		}
		*err = as
	}
}

// readThrift reads a struct, and returns what follows it.
func readThrift(text []byte) (value thrift, rest []byte, err error) {
	const most = 1 << 22
	r := thriftReader{text: text, left: most}
	defer caught(&err, errThrift)
	value = r.value(thriftStruct)
	return value, r.text, nil
}
