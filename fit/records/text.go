package records

import (
	"bufio"
	"bytes"
	"io"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// decoded returns the text of r as UTF-8: a byte order mark is obeyed and dropped; without one, a
// zero byte among the first two says UTF-16.
func decoded(r io.Reader) *bufio.Reader {
	const window = 1 << 16
	b := bufio.NewReaderSize(r, window)
	start, _ := b.Peek(3)
	var encoding transform.Transformer
	switch {
	case bytes.HasPrefix(start, []byte{0xEF, 0xBB, 0xBF}):
		_, _ = b.Discard(3)
		return b
	case bytes.HasPrefix(start, []byte{0xFF, 0xFE}), bytes.HasPrefix(start, []byte{0xFE, 0xFF}):
		encoding = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder()
	case len(start) >= 2 && start[0] != 0 && start[1] == 0:
		encoding = unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewDecoder()
	case len(start) >= 2 && start[0] == 0 && start[1] != 0:
		encoding = unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewDecoder()
	default:
		return b
	}
	return bufio.NewReaderSize(transform.NewReader(b, encoding), window)
}
