// Package modeltest helps tests and is not drawn from.
package modeltest

// Limit is a number.
const Limit = 7
