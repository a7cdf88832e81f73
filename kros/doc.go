// Package kros reads stock from KROS Fakturácia: it checks a connection, sweeps
// the catalogue, keeps KROS's limits by itself, names every failure, and
// signs and verifies notifications. What it knows about KROS stands in
// docs/kros-api.md, and what is unknown there may turn out either way here.
//
// Only packages stock and protocol of the project may enter. Nothing of
// Temporal, of the e-shop or of the configuration may, and a token never
// leaves it but in the header Authorization.
package kros
