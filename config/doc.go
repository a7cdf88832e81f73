// Package config turns a directory of HCL files into a validated installation
// and its shops, says what is wrong in them with file and line, and follows
// their changes while the program runs. The format is section 4 of
// docs/design.md.
//
// Beside the main packages it is the one place that reads the environment, and
// it does so through an Environment that main hands in. Secrets leave it as
// Secret only: unread until they are used, and never printed. Nothing of
// Temporal, of KROS or of a shop's API may enter.
package config
