package config

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unicode"
)

const redacted = "[redacted]"

// Secret is a key or token that is looked up when it is used and never shown:
// every way of printing, logging or encoding it gives "[redacted]".
type Secret struct {
	// A function and not a value: reflection, which looks past methods (fmt for
	// unexported fields, test differences), finds an address and no secret.
	reveal func() (string, error)
}

// NewSecret keeps a value that is already at hand.
func NewSecret(value string) Secret {
	return Secret{reveal: func() (string, error) { return value, nil }}
}

// Reveal looks the secret up, without its trailing line ends. The error names
// the environment variable or file that is missing or empty, never a value.
func (s Secret) Reveal() (string, error) {
	if s.reveal == nil {
		return "", errors.New("the secret is not configured")
	}
	value, err := s.reveal()
	return strings.TrimRight(value, "\r\n"), err
}

// IsZero tells whether no secret is configured.
func (s Secret) IsZero() bool { return s.reveal == nil }

func (Secret) String() string { return redacted }

// Format stands for every verb, so that no flag reaches the fields.
func (Secret) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, redacted) }

// MarshalText redacts in every encoding that knows texts.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON redacts in JSON.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// LogValue redacts in log/slog.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

func environmentSecret(env Environment, name string) Secret {
	return Secret{reveal: func() (string, error) { return lookupVariable(env, name) }}
}

func fileSecret(env Environment, path string) Secret {
	return Secret{reveal: func() (string, error) {
		data, err := env.ReadFile(path)
		if err != nil {
			return "", fmt.Errorf("read secret: %w", err)
		}
		if strings.TrimSpace(string(data)) == "" {
			return "", fmt.Errorf("read secret: file %s is empty", path)
		}
		return string(data), nil
	}}
}

// apiKey is the secret as a header can carry it: keys are pasted, and what
// comes along is "Bearer ", spaces, line ends and invisible characters.
func apiKey(secret Secret) Secret {
	return Secret{reveal: func() (string, error) {
		value, err := secret.Reveal()
		if err != nil {
			return "", err
		}
		words := strings.Fields(strings.Map(dropInvisible, value))
		if len(words) > 0 && strings.EqualFold(words[0], "bearer") {
			words = words[1:]
		}
		if len(words) == 0 {
			return "", errors.New("there is no key in it, only \"Bearer\" or spaces")
		}
		return strings.Join(words, ""), nil
	}}
}

// alertURL is the secret as an address to send to: pasted, and checked when it
// is looked up.
func alertURL(secret Secret) Secret {
	return Secret{reveal: func() (string, error) {
		value, err := secret.Reveal()
		if err != nil {
			return "", err
		}
		value = strings.TrimSpace(value)
		return value, checkAlertURL(value)
	}}
}

// wrong tells what is wrong with a secret that stands in the file itself. What
// stands elsewhere is looked at when it is used.
func (u secretUse) wrong() error {
	if !u.literal {
		return nil
	}
	_, err := u.secret.Reveal()
	return err
}

func dropInvisible(r rune) rune {
	switch {
	case unicode.IsSpace(r):
		return r
	case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
		return -1
	}
	return r
}

func lookupVariable(env Environment, name string) (string, error) {
	value, set := env.Getenv(name)
	if !set {
		return "", fmt.Errorf("environment variable %s is not set", name)
	}
	if strings.TrimSpace(value) == "" {
		return "", fmt.Errorf("environment variable %s is empty", name)
	}
	return value, nil
}
