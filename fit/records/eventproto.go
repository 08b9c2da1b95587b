package records

import (
	"encoding/binary"
	"errors"
	"math"
)

type scalar struct {
	tag   string
	value float64
}

type event struct {
	step    int64
	time    float64 // seconds since 1970
	start   bool    // a session began: a restart, where something was logged before
	scalars []scalar
}

var errProto = errors.New("the record is not an event message")

// field is one field of a protocol buffer message.
type field struct {
	number int
	bits   uint64 // of a varint or a fixed field
	bytes  []byte // of a length-delimited field
}

// fields calls visit for every field of a message.
func fields(data []byte, visit func(field) error) error {
	for len(data) > 0 {
		key, n := binary.Uvarint(data)
		if n <= 0 {
			return errProto
		}
		data = data[n:]
		f := field{number: int(key >> 3)}
		switch key & 7 {
		case 0:
			if f.bits, n = binary.Uvarint(data); n <= 0 {
				return errProto
			}
		case 1:
			if n = 8; len(data) < n {
				return errProto
			}
			f.bits = binary.LittleEndian.Uint64(data)
		case 5:
			if n = 4; len(data) < n {
				return errProto
			}
			f.bits = uint64(binary.LittleEndian.Uint32(data))
		case 2:
			length, head := binary.Uvarint(data)
			if head <= 0 || length > uint64(len(data)-head) {
				return errProto
			}
			n = head + int(length)
			f.bytes = data[head:n]
		default:
			return errProto
		}
		data = data[n:]
		if err := visit(f); err != nil {
			return err
		}
	}
	return nil
}

// parseEvent reads event.proto: wall_time = 1, step = 2, summary = 5, of which value = 1, session_log = 7, of which
// status = 1 and START = 1.
func parseEvent(data []byte) (event, error) {
	var e event
	err := fields(data, func(f field) error {
		switch f.number {
		case 1:
			e.time = math.Float64frombits(f.bits)
		case 2:
			e.step = int64(f.bits)
		case 7:
			return fields(f.bytes, func(f field) error {
				const start = 1
				e.start = e.start || f.number == 1 && f.bits == start
				return nil
			})
		case 5:
			return fields(f.bytes, func(f field) error {
				if f.number != 1 {
					return nil
				}
				s, ok, err := parseValue(f.bytes)
				if ok {
					e.scalars = append(e.scalars, s)
				}
				return err
			})
		}
		return nil
	})
	return e, err
}

// parseValue reads Summary.Value: tag = 1, simple_value = 2, tensor = 8.
func parseValue(data []byte) (s scalar, ok bool, err error) {
	err = fields(data, func(f field) error {
		switch f.number {
		case 1:
			s.tag = string(f.bytes)
		case 2:
			s.value, ok = float64(math.Float32frombits(uint32(f.bits))), true
		case 8:
			v, scalar, err := parseTensor(f.bytes)
			if scalar {
				s.value, ok = v, true
			}
			return err
		}
		return nil
	})
	return s, ok && s.tag != "" && err == nil, err
}

// Data types of types.proto.
const (
	tensorFloat  = 1
	tensorDouble = 2
)

// parseTensor reads a TensorProto that holds one float or double: dtype = 1, tensor_content = 4,
// float_val = 5, double_val = 6.
func parseTensor(data []byte) (value float64, ok bool, err error) {
	var kind uint64
	var content []byte
	err = fields(data, func(f field) error {
		switch f.number {
		case 1:
			kind = f.bits
		case 4:
			content = f.bytes
		case 5, 6:
			if f.bytes != nil { // packed
				content = f.bytes
				return nil
			}
			content = binary.LittleEndian.AppendUint64(nil,
				f.bits)[:map[int]int{5: 4, 6: 8}[f.number]]
		}
		return nil
	})
	switch {
	case err != nil:
		return 0, false, err
	case kind == tensorFloat && len(content) == 4:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(content))), true, nil
	case kind == tensorDouble && len(content) == 8:
		return math.Float64frombits(binary.LittleEndian.Uint64(content)), true, nil
	}
	return 0, false, nil
}
