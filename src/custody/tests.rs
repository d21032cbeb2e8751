//! What the other files promise, held to it.
