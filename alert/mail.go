package alert

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	netmail "net/mail"
	"net/textproto"
	"strings"
	"time"
	"unicode"

	"github.com/wneessen/go-mail"
)

// Security is how the connection to a mail server is encrypted.
type Security string

// The kinds of Security.
const (
	STARTTLS Security = "starttls" // begins in the clear; without STARTTLS nothing is sent
	TLS      Security = "tls"      // from the first byte
	None     Security = "none"     // for a server on this machine
)

// MailServer is what takes the mails.
type MailServer struct {
	Host     string
	Port     int
	Security Security
	User     string // empty: no login
	Password string
	From     string // address, or Name <address>

	roots *x509.CertPool // nil: the system's
}

// Mail is a mail of plain text to one address.
type Mail struct {
	To      string
	Subject string
	Body    string
	Key     string    // makes the Message-ID: a repeat has the same
	At      time.Time // its date
}

// Send hands a mail to the server, once. Whatever the server does not take is
// an *Error.
func (s MailServer) Send(ctx context.Context, m Mail) error {
	letter, err := s.letter(m)
	if err != nil {
		return err
	}
	line := line{security: s.Security, tls: &tls.Config{ServerName: s.Host, RootCAs: s.roots, MinVersion: tls.VersionTLS12}}
	defer line.hangUp()
	client, err := mail.NewClient(s.Host, s.options(&line)...)
	if err != nil {
		return &Error{Reason: "the settings of the mail server cannot be used"}
	}
	session, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return refusedLogin(ctx, err)
	}
	if err := client.SendWithSMTPClient(session, letter); err != nil && !letter.IsDelivered() {
		return refusedMail(ctx, err)
	}
	// Polite, but of no consequence: what the server has taken is delivered.
	_ = client.CloseWithSMTPClient(session)
	return nil
}

// line is the connection to a mail server. The library leaves one open that
// did not get through the login.
type line struct {
	security   Security
	tls        *tls.Config
	connection net.Conn
}

// dial is bounded by ctx, which ends when the connection stands; the attempt as
// a whole is bounded by the deadlines that the library sets.
func (l *line) dial(ctx context.Context, network, address string) (net.Conn, error) {
	connect := (&net.Dialer{}).DialContext
	if l.security == TLS {
		connect = (&tls.Dialer{Config: l.tls}).DialContext
	}
	connection, err := connect(ctx, network, address)
	if err != nil {
		return nil, err
	}
	l.connection = connection
	return connection, nil
}

func (l *line) hangUp() {
	if l.connection != nil {
		_ = l.connection.Close()
	}
}

func (s MailServer) options(l *line) []mail.Option {
	options := []mail.Option{mail.WithTimeout(timeout), mail.WithPort(s.Port), mail.WithTLSConfig(l.tls), mail.WithDialContextFunc(l.dial)}
	switch s.Security {
	case TLS:
		options = append(options, mail.WithTLSPolicy(mail.TLSOpportunistic)) // the line is encrypted as it is
	case None:
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	default:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if s.User != "" {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(s.User), mail.WithPassword(s.Password))
	}
	return options
}

func (s MailServer) letter(m Mail) (*mail.Msg, error) {
	letter := mail.NewMsg(mail.WithNoDefaultUserAgent())
	sender, err := netmail.ParseAddress(s.From)
	if err != nil {
		return nil, &Error{Reason: "the sender is not a mail address"} // the cause quotes it
	}
	letter.FromMailAddress(sender)
	if err := letter.To(m.To); err != nil {
		return nil, &Error{Reason: "the recipient is not a mail address"}
	}
	letter.SetMessageIDWithValue(m.Key + sender.Address[strings.LastIndex(sender.Address, "@"):])
	letter.SetDateWithValue(m.At)
	letter.SetGenHeader("Auto-Submitted", "auto-generated") // no answer by a robot, please
	letter.Subject(oneLine(m.Subject))
	letter.SetBodyString(mail.TypeTextPlain, m.Body)
	return letter, nil
}

// oneLine keeps a header to its line, whatever a shop is called.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, text)
}

// refusedLogin is a connection that could not be made or was not let in.
func refusedLogin(ctx context.Context, err error) error {
	var answer *textproto.Error
	switch {
	case errors.As(err, &answer):
		return &Error{Reason: "the mail server refuses the login", Status: answer.Code}
	case strings.Contains(err.Error(), "STARTTLS"):
		return &Error{Reason: "the mail server offers no STARTTLS"}
	case strings.Contains(err.Error(), "AUTH"):
		return &Error{Reason: "the mail server offers no way of login that is known and safe"}
	}
	return unreachable(ctx, err)
}

// refusedMail is a mail that the server did not take.
func refusedMail(ctx context.Context, err error) error {
	var refusal *mail.SendError
	if !errors.As(err, &refusal) || refusal.ErrorCode() == 0 {
		return unreachable(ctx, err)
	}
	reason := "the mail server refuses the mail"
	switch refusal.Reason {
	case mail.ErrSMTPMailFrom:
		reason = "the mail server refuses the sender"
	case mail.ErrSMTPRcptTo:
		reason = "the mail server refuses the recipient"
	}
	return &Error{Reason: reason, Status: refusal.ErrorCode()}
}
