import Foundation
import Threads

/// Stands between clients and one node and passes on bytes, until it is told to reset all connections.
///
/// Threads that block, two a connection: there are few.
final class Proxy: Sendable {
    private struct State {
        var sockets: [Int: [Int32]] = [:]
        var count = 0
        var ends = false
    }

    let port: Int
    private let listener: Int32
    private let target: sockaddr_in
    private let state = Monitor(State())

    /// - Parameter address: IPv4.
    init(to address: String, port targetPort: Int) throws {
        target = Proxy.address(address, targetPort)
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        self.listener = listener
        var own = Proxy.address("127.0.0.1", 0)
        guard listener >= 0, Proxy.with(&own, { bind(listener, $0, $1) }) == 0, listen(listener, 64) == 0 else {
            throw ChaosError("no proxy: \(String(cString: strerror(errno)))")
        }
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = Proxy.with(&own) { pointer, _ in getsockname(listener, pointer, &length) }
        port = Int(UInt16(bigEndian: own.sin_port))
        Thread.detachNewThread { [self] in acceptAll() }
    }

    /// Both ends of every connection get a RST.
    func resetAll() {
        let pairs = state.withLock { Array($0.sockets.values) }
        for socket in pairs.joined() {
            var linger = linger(l_onoff: 1, l_linger: 0)
            setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
            shutdown(socket, Int32(SHUT_RDWR))
        }
    }

    func stop() {
        state.withLock { $0.ends = true }
        shutdown(listener, Int32(SHUT_RDWR))
        resetAll()
    }

    private func acceptAll() {
        while true {
            let client = accept(listener, nil, nil)
            if state.withLock({ $0.ends }) { break }
            guard client >= 0 else { continue }
            Thread.detachNewThread { [self] in serve(client) }
        }
        close(listener)
    }

    private func serve(_ client: Int32) {
        let node = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = target
        guard node >= 0, Proxy.with(&address, { connect(node, $0, $1) }) == 0 else {
            if node >= 0 { close(node) }
            close(client)
            return
        }
        for socket in [client, node] {
            var on: Int32 = 1
            setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        }
        let key = state.withLock { state in
            state.count += 1
            state.sockets[state.count] = [client, node]
            return state.count
        }
        let back = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            Proxy.pump(node, client)
            back.signal()
        }
        Proxy.pump(client, node)
        back.wait()
        state.withLock { $0.sockets[key] = nil }
        close(client)
        close(node)
    }

    private static func pump(_ from: Int32, _ to: Int32) {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = read(from, &buffer, buffer.count)
            guard count > 0 else { break }
            var sent = 0
            while sent < count {
                let more = buffer.withUnsafeBytes { bytes in
                    send(to, bytes.baseAddress?.advanced(by: sent), count - sent, Int32(MSG_NOSIGNAL))
                }
                guard more > 0 else { break }
                sent += more
            }
            if sent < count { break }
        }
        shutdown(from, Int32(SHUT_RDWR))
        shutdown(to, Int32(SHUT_RDWR))
    }

    private static func address(_ host: String, _ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr(host)
        return address
    }

    private static func with<Value>(
        _ address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>, socklen_t) -> Value
    ) -> Value {
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
