package quickjson

import (
	"bytes"
	"sync"
)

// buffers are for answers, which are much alike.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// maxBuffer is how large a buffer may have become to be used again.
const maxBuffer = 1 << 20

// Buffer is an empty buffer for an answer that is to be read whole. What a
// Reader keeps of it stays valid when it is released.
func Buffer() *bytes.Buffer { return buffers.Get().(*bytes.Buffer) }

// Release gives a buffer back; its bytes are valid no longer.
func Release(buffer *bytes.Buffer) {
	if buffer.Cap() <= maxBuffer {
		buffer.Reset()
		buffers.Put(buffer)
	}
}
