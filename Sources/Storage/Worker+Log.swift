import Replication
import Threads

extension Worker {
    /// A thread that a log or its users cannot do without.
    /// - Throws: `.io` when the system has none left.
    package static func start(_ name: String, _ body: @escaping @Sendable () -> Void) throws(LogError) -> Worker {
        do throws(ThreadError) { return try Worker(name, body) } catch { throw .io(reason: "\(error)") }
    }
}
