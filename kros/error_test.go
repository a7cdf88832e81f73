package kros

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestStatusesMeanWhatKROSSays(t *testing.T) {
	for status, want := range map[int]Kind{
		400: Invalid, 401: Unauthorized, 402: NoAPIAccess, 403: Forbidden, 404: NotFound, 408: Unavailable,
		409: Invalid, 422: Invalid, 429: RateLimited, 500: Unavailable, 502: Unavailable, 599: Unavailable,
		301: BadResponse, 304: BadResponse,
	} {
		require.Equal(t, want, kindOf(status), status)
	}
}

func TestTheMessageIsFoundWhereverItStands(t *testing.T) {
	for name, test := range map[string]struct{ body, want string }{
		"errors":               {`{"errors":[{"propertyPath":"Top","errorMessage":"too much"},{"errorMessage":"and more"}],"title":"x"}`, "Top: too much; and more"},
		"errors of any shape":  {`{"errors":{"Top":["too much"]},"title":"Bad request"}`, "Bad request"},
		"error":                {`{"error":"e","message":"m"}`, "e"},
		"detail before title":  {`{"title":"t","detail":"d"}`, "d"},
		"message":              {`{"message":"m"}`, "m"},
		"error of any shape":   {`{"error":{"code":7},"message":"m"}`, "m"},
		"plain text":           {"Service gone\n", "Service gone"},
		"a page says nothing":  {"\n<html><h1>502</h1></html>", ""},
		"half JSON likewise":   {`{"message":`, ""},
		"nothing says nothing": {"", ""},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, test.want, messageIn([]byte(test.body))) })
	}
}

func TestSomebodyElsesTextIsMadeFitForALog(t *testing.T) {
	require.Equal(t, "a b c", oneLine("a\r\n\x1b\u202eb\t\tc\x00", ""))
	require.Equal(t, "token [redacted] expired", oneLine("token eyJhbGci expired", "eyJhbGci"))
	long := oneLine(strings.Repeat("č", 500), "")
	require.Equal(t, maxMessage, utf8.RuneCountInString(long))
	require.True(t, strings.HasSuffix(long, "č…"))
}

func TestRetryAfterInAllItsForms(t *testing.T) {
	now := time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		value, date string
		want        time.Duration
		ok          bool
	}{
		"seconds":                        {"30", "", 30 * time.Second, true},
		"a fraction":                     {" 1.5 ", "", 1500 * time.Millisecond, true},
		"none left":                      {"0", "", soonest, true},
		"less than none":                 {"-5", "", soonest, true},
		"more than there are":            {"99999999999999999999", "", longest, true},
		"a date":                         {"Fri, 01 May 2026 10:00:20 GMT", "", 20 * time.Second, true},
		"a date by KROS's own clock":     {"Fri, 01 May 2026 11:00:20 GMT", "Fri, 01 May 2026 11:00:05 GMT", 15 * time.Second, true},
		"a date that has passed":         {"Wed, 21 Oct 2015 07:28:00 GMT", "", soonest, true},
		"a date no one lives to see":     {"Fri, 01 May 9026 10:00:20 GMT", "", longest, true},
		"absent":                         {"", "", 0, false},
		"nonsense":                       {"soon", "", 0, false},
		"not a number":                   {"NaN", "", 0, false},
		"a clock that says nothing good": {"Fri, 01 May 2026 10:00:20 GMT", "yesterday", 20 * time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			header := http.Header{}
			header.Set("Retry-After", test.value)
			header.Set("Date", test.date)
			got, ok := retryAfter(header, now)
			require.Equal(t, test.ok, ok)
			require.Equal(t, test.want, got)
		})
	}
}

func TestAnErrorNamesWhatWasTriedAndItsKindIsFoundThroughWrapping(t *testing.T) {
	err := &Error{Op: "check the token", Kind: NoAPIAccess, Status: 402}
	require.EqualError(t, err, "KROS: check the token: no_api_access (HTTP 402)")
	err.Message = "plan lapsed"
	require.EqualError(t, err, "KROS: check the token: no_api_access (HTTP 402): plan lapsed")
	require.Equal(t, NoAPIAccess, KindOf(fmt.Errorf("activate: %w", err)))
	require.Empty(t, KindOf(ErrCannotAsk))
}

func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"1", "-1", "1e400", "Inf", "Wed, 21 Oct 2015 07:28:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", ""} {
		f.Add(seed, "")
	}
	f.Fuzz(func(t *testing.T, value, date string) {
		header := http.Header{"Retry-After": {value}, "Date": {date}}
		wait, ok := retryAfter(header, time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC))
		if ok && (wait < soonest || wait > longest) || !ok && wait != 0 {
			t.Fatalf("wait %v, %v", wait, ok)
		}
	})
}

func FuzzMessage(f *testing.F) {
	f.Add([]byte(`{"errors":[{"errorMessage":"secret-token"}]}`))
	f.Add([]byte("secret-\x00token"))
	f.Fuzz(func(t *testing.T, body []byte) {
		line := oneLine(messageIn(body), "secret-token")
		if strings.Contains(line, "secret-token") {
			t.Fatalf("the token shows: %q", line)
		}
		if utf8.RuneCountInString(line) > maxMessage || strings.ContainsFunc(line, unicode.IsControl) {
			t.Fatalf("not one short line: %q", line)
		}
	})
}
