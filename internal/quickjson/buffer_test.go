package quickjson_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/internal/quickjson"
)

func TestAnAnswerIsReadWholeAndNoFurtherThanOneByteBehindTheLimit(t *testing.T) {
	const limit = 3 << 20
	text := strings.Repeat("0123456789abcdef", limit/8)
	for _, length := range []int{0, 1, 1<<20 - 1, 1 << 20, 1<<20 + 1, limit - 1, limit, limit + 1, len(text)} {
		buffer, err := quickjson.Whole(strings.NewReader(text[:length]), limit)
		require.NoError(t, err)
		require.Equal(t, text[:min(length, limit+1)], buffer.String(), "%d bytes", length)
		quickjson.Release(buffer)
	}

	buffer, err := quickjson.Whole(strings.NewReader(text), 10) // a limit far below any buffer's size
	require.NoError(t, err)
	require.Equal(t, text[:11], buffer.String())
	quickjson.Release(buffer)
}

func TestAnAnswerThatBreaksOffIsAnError(t *testing.T) {
	for _, length := range []int{10, 2 << 20} {
		broken := io.MultiReader(strings.NewReader(strings.Repeat("x", length)), iotest.ErrReader(errors.New("reset")))
		buffer, err := quickjson.Whole(broken, 3<<20)
		require.EqualError(t, err, "reset")
		quickjson.Release(buffer)
	}
}
