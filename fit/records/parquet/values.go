package parquet

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// inflated undoes the compression of a page, which has full bytes then.
func inflated(codec int64, body []byte, full int) (out []byte, err error) {
	const plain, snappy, gzipped, brotlied, zstandard, lz4Raw = 0, 1, 2, 4, 6, 7
	if full < 0 {
		return nil, errShort
	}
	switch codec {
	case plain:
		return body, nil
	case snappy:
		if n, err := s2.DecodedLen(body); err != nil || n != full {
			return nil, errShort
		}
		out, err = s2.Decode(nil, body)
	case gzipped:
		var z *gzip.Reader
		if z, err = gzip.NewReader(bytes.NewReader(body)); err == nil {
			out, err = io.ReadAll(io.LimitReader(z, int64(full)+1))
		}
	case zstandard:
		var z *zstd.Decoder
		if z, err = zstd.NewReader(bytes.NewReader(body), zstd.WithDecoderConcurrency(1),
			zstd.WithDecoderMaxMemory(maxPage), zstd.WithDecoderMaxWindow(maxPage)); err == nil {
			out, err = io.ReadAll(io.LimitReader(z, int64(full)+1))
			z.Close()
		}
	case brotlied:
		out, err = io.ReadAll(io.LimitReader(brotli.NewReader(bytes.NewReader(body)), int64(full)+1))
	case lz4Raw:
		var n int
		out = make([]byte, full)
		n, err = lz4.UncompressBlock(body, out)
		out = out[:n]
	default:
		names := map[int64]string{3: "LZO", 5: "LZ4 in the frames of Hadoop"}
		return nil, fmt.Errorf("compressed by %s; read are files without compression, or by snappy, gzip, zstd, Brotli or LZ4_RAW",
			names[codec])
	}
	if err == nil && len(out) != full {
		err = errShort
	}
	return out, err
}

// decode returns n values of a page as cells.
func (l *Column) decode(encoding int64, body []byte, n int, dictionary []string) ([]string, error) {
	const plain, plainDictionary, rle, delta, deltaLength, deltaBytes, dictionaryRLE, split = 0, 2, 3, 5, 6, 7, 8, 9
	out := make([]string, 0, n)
	switch encoding {
	case plain:
		return l.plain(body, n)
	case plainDictionary, dictionaryRLE:
		if n == 0 {
			return out, nil
		}
		if len(body) == 0 {
			return nil, errShort
		}
		at, err := hybrid(body[1:], int(body[0]), n)
		if err != nil {
			return nil, err
		}
		for _, i := range at {
			if i >= uint64(len(dictionary)) {
				return nil, fmt.Errorf("value %d of a dictionary of %d", i, len(dictionary))
			}
			out = append(out, dictionary[i])
		}
		return out, nil
	case rle: // of booleans
		if len(body) < 4 {
			return nil, errShort
		}
		values, err := hybrid(body[4:], 1, n)
		for _, v := range values {
			out = append(out, strconv.FormatBool(v == 1))
		}
		return out, err
	case delta:
		values, _, err := deltas(body, n)
		for _, v := range values {
			if l.kind == int32s {
				v = int64(int32(v)) // differences may wrap
			}
			out = append(out, l.integer(v))
		}
		return out, err
	case deltaLength, deltaBytes:
		var prefixes []int64
		var err error
		if encoding == deltaBytes {
			if prefixes, body, err = deltas(body, n); err != nil {
				return nil, err
			}
		}
		lengths, body, err := deltas(body, n)
		if err != nil {
			return nil, err
		}
		var last []byte
		written := int64(0)
		for i, k := range lengths {
			if k < 0 || k > int64(len(body)) {
				return nil, errShort
			}
			text := body[:k]
			if prefixes != nil {
				p := prefixes[i]
				if written += p + k; p < 0 || p > int64(len(last)) || written > maxPage {
					return nil, errShort
				}
				text = append(last[:p:p], text...)
				last = text
			}
			out = append(out, l.text(text))
			body = body[k:]
		}
		return out, nil
	case split:
		width := map[int64]int{int32s: 4, floats: 4, int64s: 8, doubles: 8}[l.kind]
		if width == 0 || len(body) < width*n {
			return nil, errShort
		}
		whole := make([]byte, width*n)
		for i := range n {
			for j := range width {
				whole[i*width+j] = body[j*n+i]
			}
		}
		return l.plain(whole, n)
	}
	return nil, fmt.Errorf("encoding %d of parquet.thrift is not read", encoding)
}

// plain reads values one behind the other.
func (l *Column) plain(body []byte, n int) ([]string, error) {
	width := map[int64]int{
		int32s: 4, floats: 4, int64s: 8, doubles: 8, int96s: 12,
		fixedBytes: l.length,
	}[l.kind]
	if width*n > len(body) || l.kind == boolean && n > 8*len(body) ||
		l.kind == byteArray && 4*n > len(body) {
		return nil, errShort
	}
	out := make([]string, 0, n)
	for i := range n {
		switch l.kind {
		case boolean:
			out = append(out, strconv.FormatBool(body[i/8]>>(i%8)&1 == 1))
		case int32s:
			v := binary.LittleEndian.Uint32(body[4*i:])
			if l.unsigned {
				out = append(out, l.integer(int64(v)))
			} else {
				out = append(out, l.integer(int64(int32(v))))
			}
		case int64s:
			out = append(out, l.integer(int64(binary.LittleEndian.Uint64(body[8*i:]))))
		case floats:
			v := math.Float32frombits(binary.LittleEndian.Uint32(body[4*i:]))
			out = append(out, strconv.FormatFloat(float64(v), 'g', -1, 32))
		case doubles:
			out = append(out, quantity.Shortest(math.Float64frombits(binary.LittleEndian.Uint64(body[8*i:]))))
		case fixedBytes:
			out = append(out, l.text(body[l.length*i:l.length*(i+1)]))
		case byteArray:
			if len(body) < 4 {
				return nil, errShort
			}
			k := binary.LittleEndian.Uint32(body)
			if uint64(k) > uint64(len(body)-4) {
				return nil, errShort
			}
			out = append(out, l.text(body[4:4+k]))
			body = body[4+k:]
		default:
			out = append(out, "")
		}
	}
	return out, nil
}

// integer is a whole number, or a decimal one of the column's scale, as a cell.
func (l *Column) integer(v int64) string {
	text := strconv.FormatInt(v, 10)
	if l.unsigned && v < 0 {
		text = strconv.FormatUint(uint64(v), 10)
	}
	return scaled(text, l.scale)
}

// hybrid reads n numbers of a width in bits from runs of equal ones and of packed ones.
func hybrid(body []byte, width, n int) ([]uint64, error) {
	if width > 32 {
		return nil, errShort
	}
	out := make([]uint64, 0, n)
	for len(out) < n {
		head, k := binary.Uvarint(body)
		if k <= 0 {
			return nil, errShort
		}
		body = body[k:]
		if head&1 == 0 { // a run
			size := (width + 7) / 8
			if len(body) < size {
				return nil, errShort
			}
			var v uint64
			for i := range size {
				v |= uint64(body[i]) << (8 * i)
			}
			body = body[size:]
			if head>>1 == 0 {
				return nil, errShort
			}
			for range min(head>>1, uint64(n-len(out))) {
				out = append(out, v)
			}
			continue
		}
		groups := head >> 1
		if groups == 0 || groups > uint64(n) { // of 8 numbers each
			if groups == 0 || groups > 1<<28 {
				return nil, errShort
			}
		}
		have := min(int(groups)*width, len(body))
		for i := range min(8*int(groups), n-len(out)) {
			if (i+1)*width > 8*have {
				return nil, errShort
			}
			out = append(out, packed(body, i*width, width))
		}
		body = body[have:]
	}
	return out, nil
}

// packed is the number of a width that begins at a bit; bits go from the lowest up.
func packed(body []byte, at, width int) (v uint64) {
	for got := 0; got < width; {
		b := uint64(body[(at+got)/8]) >> ((at + got) % 8)
		take := min(8-(at+got)%8, width-got)
		v |= (b & (1<<take - 1)) << got
		got += take
	}
	return v
}

// deltas reads n numbers that are written as packed differences, and returns what follows them.
func deltas(body []byte, n int) (out []int64, rest []byte, err error) {
	r := thriftReader{text: body}
	defer caught(&err, errShort)
	block, minis, count, value := r.varint(), r.varint(), r.varint(), zigzag(r.varint())
	if minis == 0 || minis > 1<<12 || block == 0 || block > 1<<20 || block%minis != 0 || count != uint64(n) {
		return nil, nil, errShort
	}
	per := int(block / minis)
	if n > 0 {
		out = append(make([]int64, 0, n), value)
	}
	for len(out) < n {
		least := zigzag(r.varint())
		widths := r.take(minis)
		for _, w := range widths {
			if len(out) >= n {
				break
			}
			if w > 64 {
				return nil, nil, errShort
			}
			packedBytes := r.take(uint64(per*int(w)+7) / 8)
			for i := range min(per, n-len(out)) {
				value += least + int64(packed(packedBytes, i*int(w), int(w)))
				out = append(out, value)
			}
		}
	}
	return out, r.text, nil
}
