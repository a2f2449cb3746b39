import Glibc
import struct Sharding.PeerAddress

/// One TCP connection to or from another node.
struct PeerStream {
    /// How the last look at the socket ended.
    enum Outcome: Equatable {
        case fine
        /// The other side says no more, or the connection is done with.
        case ended
        case failed(code: Int32)
    }
    /// Read at once at most; the datagrams must not wait for a large frame.
    private static let bytesPerTurn = 1 << 20

    let descriptor: Descriptor
    let address: PeerAddress
    /// Opened by this node.
    let isOurs: Bool
    var isConnecting: Bool
    /// The last frame is said: nothing follows it.
    var isFinishing = false
    /// What came could not be opened: the answer must be readable without the key.
    var isUnreadable = false
    /// The other side says no more; what is left to say to it still goes out.
    var hasHeardAll = false
    var lastActivity: Duration
    var input = FrameAssembler()
    private var output: [UInt8] = []
    private var sent = 0
    private var isShut = false

    init(_ descriptor: Descriptor, _ address: PeerAddress, isOurs: Bool, at now: Duration) {
        self.descriptor = descriptor
        self.address = address
        self.isOurs = isOurs
        isConnecting = isOurs
        lastActivity = now
    }

    var hasOutput: Bool { sent < output.count }
    /// For `poll`.
    var interest: Int16 { (hasHeardAll ? 0 : Int16(POLLIN)) | (isConnecting || hasOutput ? Int16(POLLOUT) : 0) }

    mutating func queue(_ frame: [UInt8]) {
        output += FrameAssembler.head(of: frame) + frame
    }

    /// Sends what the socket takes. After the last frame it says that no more follows, and listens on: closing at once
    /// could reset the connection before the other side has read the frame.
    mutating func flush(at now: Duration) -> (outcome: Outcome, sent: Int) {
        guard !isConnecting else { return (.fine, 0) }
        let before = sent
        while hasOutput {
            let count = output.withUnsafeBytes { bytes in
                send(descriptor.number, bytes.baseAddress.map { $0 + sent }, bytes.count - sent, noSignal)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                let code = errno
                return (code == EAGAIN ? .fine : .failed(code: code), sent - before)
            }
            sent += count
            lastActivity = now
        }
        let total = sent - before
        (output, sent) = ([], 0)
        if isFinishing, !isShut {
            isShut = true
            shutdown(descriptor.number, Int32(SHUT_WR))
        }
        return (.fine, total)
    }

    /// Takes in what has arrived.
    mutating func fill(
        using buffer: UnsafeMutableRawBufferPointer, at now: Duration
    ) -> (outcome: Outcome, received: Int) {
        var total = 0
        while total < Self.bytesPerTurn {
            let count = recv(descriptor.number, buffer.baseAddress, buffer.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                let code = errno
                return (code == EAGAIN ? .fine : .failed(code: code), total)
            }
            guard count > 0 else { return (.ended, total) }
            input.append(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            total += count
            lastActivity = now
        }
        return (.fine, total)
    }

    /// After the socket became writable for the first time.
    mutating func finishConnecting() -> Outcome {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor.number, SOL_SOCKET, SO_ERROR, &code, &length)
        guard code == 0 else { return .failed(code: code) }
        isConnecting = false
        return .fine
    }
}

private let noSignal = Int32(MSG_NOSIGNAL)
