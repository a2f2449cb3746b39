import Glibc

/// The system has no thread left.
package struct ThreadError: Error, Equatable, CustomStringConvertible {
    package let description: String
}

/// A thread of our own for work that blocks. Its body must end by itself when told to; `join` waits for that.
package final class Worker: Sendable {
    private let thread: pthread_t

    /// - Parameter name: as seen in `top -H`; at most 15 bytes count.
    package init(_ name: String, _ body: @escaping @Sendable () -> Void) throws(ThreadError) {
        let box = Unmanaged.passRetained(Body(name: name, run: body))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let body = Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
                nameThisThread(body.name)
                body.run()
                return nil
            }, box.toOpaque())
        guard code == 0 else {
            box.release()
            throw ThreadError(description: "no thread for \(name): \(String(cString: strerror(code)))")
        }
        self.thread = thread
    }

    /// Call it exactly once.
    package func join() { pthread_join(thread, nil) }

    private final class Body: Sendable {
        let name: String
        let run: @Sendable () -> Void
        init(name: String, run: @escaping @Sendable () -> Void) {
            self.name = name
            self.run = run
        }
    }
}

/// Only for people: when it does not work, nothing is lost.
private func nameThisThread(_ name: String) {
    let descriptor = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    _ = name.withCString { write(descriptor, $0, min(15, strlen($0))) }
    close(descriptor)
}
