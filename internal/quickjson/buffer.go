package quickjson

import (
	"bytes"
	"io"
	"sync"
)

// buffers are for answers, which are much alike.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// maxBuffer is how large a buffer may have become to be used again.
const maxBuffer = 1 << 20

// Whole reads an answer whole; of one that is longer than limit one byte more
// than that. The buffer is to be released, also after an error. What a Reader
// keeps of it stays valid then.
func Whole(answer io.Reader, limit int) (*bytes.Buffer, error) {
	buffer := buffers.Get().(*bytes.Buffer)
	answer = io.LimitReader(answer, int64(limit)+1)
	if n, err := buffer.ReadFrom(io.LimitReader(answer, maxBuffer)); err != nil || n < maxBuffer {
		return buffer, err
	}
	// So long is hardly any: to double the buffer again and again would cost
	// several times the limit.
	buffer.Grow(limit + 1 - maxBuffer + bytes.MinRead)
	_, err := buffer.ReadFrom(answer)
	return buffer, err
}

// Release gives a buffer back; its bytes are valid no longer.
func Release(buffer *bytes.Buffer) {
	if buffer.Cap() <= maxBuffer {
		buffer.Reset()
		buffers.Put(buffer)
	}
}
