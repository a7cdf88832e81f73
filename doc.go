// Package skladom keeps the stock of a Fynode e-shop equal to the stock in
// KROS Fakturácia, on Temporal.
package skladom
