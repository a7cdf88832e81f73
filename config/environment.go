package config

import (
	"io/fs"
	"os"
	"time"
)

// Environment is what the configuration reads of the machine. Every field is
// needed; start from OS and replace what a test wants otherwise.
type Environment struct {
	Getenv   func(name string) (string, bool) // value, and whether it is set
	ReadFile func(path string) ([]byte, error)
	ReadDir  func(path string) ([]fs.DirEntry, error)
	Stat     func(path string) (fs.FileInfo, error) // follows links
	Now      func() time.Time
}

// OS is the environment of the process.
func OS() Environment {
	return Environment{
		Getenv:   os.LookupEnv,
		ReadFile: os.ReadFile,
		ReadDir:  os.ReadDir,
		Stat:     os.Stat,
		Now:      time.Now,
	}
}
