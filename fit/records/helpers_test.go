package records

import (
	"bytes"
	"encoding/binary"
	"math"
)

// eventRecord frames data as TensorBoard does; the framing is checked apart against a record
// written by hand (see TestEventsKnownBytes).
func eventRecord(data []byte) []byte {
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(data)))
	out = binary.LittleEndian.AppendUint32(out, maskedCRC(out))
	out = append(out, data...)
	return binary.LittleEndian.AppendUint32(out, maskedCRC(data))
}

func tagged(number, wire int, payload []byte) []byte {
	out := binary.AppendUvarint(nil, uint64(number<<3|wire))
	if wire == 2 {
		out = binary.AppendUvarint(out, uint64(len(payload)))
	}
	return append(out, payload...)
}

// scalarEvent is an event of one simple value, or of a double tensor.
func scalarEvent(step int64, tag string, v float64, tensor bool) []byte {
	value := tagged(1, 2, []byte(tag))
	if tensor {
		content := binary.LittleEndian.AppendUint64(nil, math.Float64bits(v))
		t := append(tagged(1, 0, []byte{tensorDouble}), tagged(4, 2, content)...)
		value = append(value, tagged(8, 2, t)...)
	} else {
		value = append(value, tagged(2, 5, binary.LittleEndian.AppendUint32(nil,
			math.Float32bits(float32(v))))...)
	}
	wall := tagged(1, 1, make([]byte, 8))
	return bytes.Join([][]byte{
		wall, tagged(2, 0, binary.AppendUvarint(nil, uint64(step))),
		tagged(5, 2, tagged(1, 2, value)),
	}, nil)
}

func eventBytes(events ...[]byte) []byte {
	version := append(tagged(1, 1, make([]byte, 8)), tagged(3, 2, []byte("brain.Event:2"))...)
	out := eventRecord(version)
	for _, e := range events {
		out = append(out, eventRecord(e)...)
	}
	return out
}
