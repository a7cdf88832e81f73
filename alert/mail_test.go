package alert_test

import (
	"context"
	"crypto/x509"
	"io"
	"mime"
	"mime/quotedprintable"
	netmail "net/mail"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/skladom/skladom/alert"
)

const password = "smtp-password-91c2"

func (s *mailServer) sender(security alert.Security) alert.MailServer {
	return alert.MailServer{
		Host: "127.0.0.1", Port: s.port(), Security: security, User: "skladom", Password: password, From: "Skladom <skladom@example.com>",
	}.Trusting(s.roots)
}

func mail() alert.Mail {
	return alert.Mail{To: "jana@acme.example", Subject: "Skladom: Čajovňa stojí", Body: "Čaj.\n.\nPozor: = a ž\n", Key: "0badc0de", At: at}
}

func TestMailIsSentEncryptedAndReadsAsItWasWritten(t *testing.T) {
	for security, implicit := range map[alert.Security]bool{alert.STARTTLS: false, alert.TLS: true} {
		s := serveMail(t, func(s *mailServer) { s.implicit = implicit })
		require.NoError(t, s.sender(security).Send(t.Context(), mail()))
		require.Len(t, s.received(), 1)
		got := s.received()[0]
		require.True(t, got.encrypted)
		require.Equal(t, "|skladom|"+password, got.login)
		require.Contains(t, got.from, "<skladom@example.com>")
		require.Contains(t, got.to, "<jana@acme.example>")
		read, body := parse(t, got.text)
		require.Equal(t, "Skladom: Čajovňa stojí", read.Get("Subject"))
		require.Equal(t, "<0badc0de@example.com>", read.Get("Message-Id"))
		require.Equal(t, "auto-generated", read.Get("Auto-Submitted"))
		date, err := read.Date()
		require.NoError(t, err)
		require.True(t, at.Equal(date))
		require.Equal(t, "Čaj.\n.\nPozor: = a ž", body)
	}
}

// parse reads a mail as its reader's program does.
func parse(t *testing.T, text string) (netmail.Header, string) {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(text))
	require.NoError(t, err)
	decoder := mime.WordDecoder{}
	for name, values := range m.Header {
		for i, value := range values {
			m.Header[name][i], err = decoder.DecodeHeader(value)
			require.NoError(t, err)
		}
	}
	require.Equal(t, "quoted-printable", m.Header.Get("Content-Transfer-Encoding"))
	body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	require.NoError(t, err)
	return m.Header, strings.TrimSpace(strings.ReplaceAll(string(body), "\r\n", "\n"))
}

func TestAMailServerOfThisMachineMayNeedNothing(t *testing.T) {
	s := serveMail(t, func(s *mailServer) { s.noSTARTTLS = true })
	sender := s.sender(alert.None)
	sender.User = ""
	require.NoError(t, sender.Send(t.Context(), mail()))
	require.False(t, s.received()[0].encrypted)
}

func TestNobodyCanAddAHeader(t *testing.T) {
	for _, title := range []string{"Acme\r\nBcc: thief@example.com", "Acme\nBcc: thief@example.com", "Acme\r\n\r\nbody", "Ačme\r\nBcc: thief@example.com", "Acme\x00\u2028Bcc: x", strings.Repeat("Acme ", 100) + "\r\n Bcc: x"} {
		s := serveMail(t, nil)
		m := mail()
		m.Subject = "Skladom: " + title
		require.NoError(t, s.sender(alert.STARTTLS).Send(t.Context(), m))
		got := s.received()[0]
		require.NotContains(t, got.to, "thief")
		read, body := parse(t, got.text)
		require.Empty(t, read.Get("Bcc"))
		require.Equal(t, strings.Join(strings.Fields(strings.ReplaceAll(strings.ReplaceAll(m.Subject, "\x00", " "), "\u2028", " ")), " "), strings.Join(strings.Fields(read.Get("Subject")), " "))
		require.True(t, strings.HasPrefix(body, "Čaj."))

		m = mail()
		m.To = "jana@acme.example" + strings.TrimPrefix(title, "Acme")
		require.Error(t, s.sender(alert.STARTTLS).Send(t.Context(), m), "an address is an address")
	}
}

func TestAMailThatIsNotTakenSaysWhyAndNoSecret(t *testing.T) {
	refuse := func(command, answer string) func(*mailServer) {
		return func(s *mailServer) { s.refuse[command] = answer }
	}
	tests := []struct {
		rule   string
		server func(*mailServer)
		sender func(*alert.MailServer)
		reason string
		status int
	}{
		{"wrong password", refuse("AUTH", "535 no, skladom "+password), nil, "refuses the login", 535},
		{"no STARTTLS: nothing is sent in the clear", func(s *mailServer) { s.noSTARTTLS = true }, nil, "offers no STARTTLS", 0},
		{"a certificate of somebody else", nil, func(m *alert.MailServer) { *m = m.Trusting(x509.NewCertPool()) }, "the certificate is not trusted", 0},
		{"sender refused", refuse("MAIL", "550 skladom@example.com is not welcome"), nil, "refuses the sender", 550},
		{"recipient refused", refuse("RCPT", "550 jana@acme.example is unknown"), nil, "refuses the recipient", 550},
		{"full", refuse("DATA", "452 no space for jana@acme.example"), nil, "refuses the mail", 452},
		{"gone in the middle", func(s *mailServer) { s.dropAfter = "DATA" }, nil, "the connection broke", 0},
		{"nobody there", func(s *mailServer) { _ = s.listener.Close() }, nil, "the connection was refused", 0},
		{"a sender that is none", nil, func(m *alert.MailServer) { m.From = "skladom" }, "the sender is not a mail address", 0},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			s := serveMail(t, test.server)
			sender := s.sender(alert.STARTTLS)
			if test.sender != nil {
				test.sender(&sender)
			}
			err := sender.Send(t.Context(), mail())
			var failure *alert.Error
			require.ErrorAs(t, err, &failure)
			require.Contains(t, failure.Reason, test.reason)
			require.Equal(t, test.status, failure.Status)
			for _, secret := range []string{password, "jana@", "skladom@", "127.0.0.1"} {
				require.NotContains(t, err.Error(), secret)
			}
			require.Empty(t, s.received())
		})
	}
}

// What comes after the server has taken a mail must not make it come twice.
func TestATakenMailIsDeliveredWhateverComesAfter(t *testing.T) {
	for _, last := range []string{"RSET", "QUIT"} {
		s := serveMail(t, func(s *mailServer) { s.dropAfter = last })
		require.NoError(t, s.sender(alert.STARTTLS).Send(t.Context(), mail()), last)
		require.Len(t, s.received(), 1)
	}
}

func TestAMailEndsWithItsContext(t *testing.T) {
	s := serveMail(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, s.sender(alert.STARTTLS).Send(ctx, mail()), context.Canceled)
}
