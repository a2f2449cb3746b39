import Glibc

/// State behind a lock on which threads can wait for a condition. (`Mutex` has no waiting.)
///
/// `State` must have a size: the place of `Void` is that of the next field, which the thread sanitizer takes for a race.
/// `@unchecked Sendable`: `state` is only touched while `mutex` is held; the two C objects are made for sharing.
package final class Monitor<State>: @unchecked Sendable {
    private var state: State
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    package init(_ state: State) {
        self.state = state
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        // Time that people set must not lengthen a wait.
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(changed, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    /// Looks or changes; does not wake anyone.
    package func withLock<Value, Failure>(_ body: (inout State) throws(Failure) -> Value) throws(Failure) -> Value {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state)
    }

    /// Changes, and wakes all who wait, to look again.
    package func update<Value, Failure>(_ body: (inout State) throws(Failure) -> Value) throws(Failure) -> Value {
        defer { pthread_cond_broadcast(changed) }
        return try withLock(body)
    }

    /// Waits until `condition` holds, then runs `body` in the same breath.
    package func when<Value, Failure>(
        _ condition: (borrowing State) -> Bool, _ body: (inout State) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while !condition(state) { pthread_cond_wait(changed, mutex) }
        return try body(&state)
    }

    /// As `when`, but runs `body` after `limit` in any case.
    package func when<Value>(
        _ condition: (borrowing State) -> Bool, orAfter limit: Duration, _ body: (inout State) -> Value
    ) -> Value {
        var deadline = timespec(after: limit)
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while !condition(state) {
            if pthread_cond_timedwait(changed, mutex, &deadline) == ETIMEDOUT { break }
        }
        return body(&state)
    }
}

private func timespec(after limit: Duration) -> timespec {
    var time = Glibc.timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    let (seconds, attoseconds) = limit.components
    let nanoseconds = time.tv_nsec + Int(attoseconds / 1_000_000_000)
    time.tv_sec += Int(seconds) + nanoseconds / 1_000_000_000
    time.tv_nsec = nanoseconds % 1_000_000_000
    return time
}
