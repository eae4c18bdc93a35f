import Glibc

/// How many calls the largest tests make: PBK_TEST_CALLS, else 10,000, and fewer under a sanitizer, which makes them slow.
let manyCalls = getenv("PBK_TEST_CALLS").flatMap { Int(String(cString: $0)) } ?? (isSanitized ? 2_000 : 10_000)

let isSanitized = isThreadSanitized || dlsym(nil, "__asan_init") != nil

/// With ThreadSanitizer Swift's runtime takes one lock for all threads wherever it looks up the type of a tuple, as unoptimised
/// code does all the time: many threads that read JSON at once then hardly get on.
let isThreadSanitized = dlsym(nil, "__tsan_init") != nil

/// What the variable says, else so many, and a quarter of it under ThreadSanitizer: see `isThreadSanitized`.
func stressNumber(_ name: String, else count: Int) -> Int {
    getenv(name).flatMap { Int(String(cString: $0)) } ?? (isThreadSanitized ? count / 4 : count)
}
