//! What the layer adds to a request, measured.
//!
//! Instructions that one request executes, net of the bare service, counted by single-stepping, the
//! median of five (`cargo bench --bench request -- gate`, x86-64 with SHA extensions):
//!
//! | request | instructions | by hand | heap allocations |
//! |---|---:|---:|---:|
//! | API key, one of 1000 in memory | 2,970 | 2,100 | 3 |
//! | an API key and a throttle, nothing told | 3,600 | | 3 |
//! | the same, told in `RateLimit` and `RateLimit-Policy` | 5,050 | | 6 |
//! | a throttle of public routes, nothing told | 1,560 | | 0 |
//! | HS256 token, never seen before | 11,780 | 9,930 | 7 |
//! | an access token of our own, never seen before | 13,130 | | 7 |
//! | RS256 token, never seen before | 183,220 | 181,690 | |
//! | token seen before: HS256, ES256, EdDSA, our own | 3,300–3,440 | 3,150 | 3 |
//! | token seen before: RS256, which is longer | 3,720 | | 3 |
//! | Basic, the password remembered | 3,910 | | 4 |
//! | nothing presented: 401, three challenges, a body | 1,460 | 1,230 | 3 |
//! | forged HS256 token: the same | 4,540 | | 3 |
//!
//! "By hand" is straight-line code that gives the same answer and keeps none of the promises of
//! [`security`](super::security); by hand, telling a limit alone is 1,590. A key or a local-key
//! token that memory can judge makes no boxed future and spawns nothing.
//!
//! What is kept of a token that was verified takes 930 bytes for a token of 360, and 510 for each
//! sixteen places where one may be: `cache_bytes` counts both. Two threads with 10,000 tokens that
//! were seen before reach 0.98 times what the bare service reaches or more, and 1.7 times one
//! thread with one token (`cargo bench --bench request -- threads`).
//!
//! Many keys (`cargo bench --bench keys`). The table shows bytes per key, the time to check a known
//! key, and the longest time for a new key. Both times are relative to governor's in the same run,
//! because absolute times on a busy machine mean little:
//!
//! | 1,000,000 keys | bytes a key | time a check | longest new key |
//! |---|---:|---:|---:|
//! | governor 0.10, keyed (GCRA) | 52 | 1 | 1 |
//! | `N/period burst B` (GCRA) | 50 | 0.73 | 0.02 |
//! | `N/period`, each key seen once | 67 | 0.75 | 0.09 |
//! | `N/period calendar` | 67 | 0.88 | 0.09 |
//!
//! The longest took 5.7 ms of the CPU's time with governor, and 0.5 ms here.
//!
//! A key that calls in every 64th of its period has 66 entries of 16 bytes under `N/period`; the
//! cap on keys is a million a rule unless it is told otherwise.
