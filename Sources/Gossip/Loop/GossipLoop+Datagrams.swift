import Glibc
import struct Sharding.Packet
import struct Sharding.PeerAddress

extension GossipLoop {
    func send(_ bytes: [UInt8], to address: PeerAddress) {
        let sealed = seal.seal(bytes, as: .datagram)
        let sent = address.withSocketAddress(sockets.family) { target, length in
            // An error left by an earlier datagram is told once, in place of sending this one.
            trySend(sealed, target, length) || trySend(sealed, target, length)
        }
        guard sent == true else { return counters.sendFailures += 1 }
        counters.packetsOut += 1
        counters.packetBytesOut += sealed.count
    }

    private func trySend(_ bytes: [UInt8], _ target: UnsafePointer<sockaddr>, _ length: socklen_t) -> Bool {
        sendto(sockets.datagrams.number, bytes, bytes.count, 0, target, length) >= 0
    }

    /// Takes in all that has arrived, up to a bound.
    func receiveDatagrams() {
        takeErrors()
        for _ in 0..<Self.datagramsPerTurn where !isOver {
            guard receiveDatagram() else { return }
        }
    }

    /// - Returns: whether to look for more.
    private func receiveDatagram() -> Bool {
        // With the flag the system gives a datagram's length even where it is cut off.
        let (count, source) = PeerAddress.filled { address, length in
            recvfrom(sockets.datagrams.number, buffer.baseAddress, buffer.count, Int32(MSG_TRUNC), address, &length)
        }
        guard count >= 0 else {
            if errno == EAGAIN { return false }
            takeErrors()
            return true
        }
        counters.packetsIn += 1
        counters.packetBytesIn += count
        guard let source, count <= Packet.bytesMax + Packet.sealBytes,
            let bytes = seal.open(Array(buffer[..<count]), as: .datagram)
        else {
            counters.unreadable += 1
            return true
        }
        handle(.datagram(bytes, from: source))
        return true
    }

    /// What machines said to datagrams sent there. Only "nobody listens on that port" says something about a node: its
    /// machine is there and its process is not.
    private func takeErrors() {
        while let (address, code) = takeError() {
            guard code == ECONNREFUSED else { continue }
            counters.refused += 1
            if let address { refusals.insert(address) }
        }
    }

    /// One entry of the socket's error queue: to whom the datagram went, and the error. See ip(7), `IP_RECVERR`.
    private func takeError() -> (address: PeerAddress?, code: Int32)? {
        var control = [UInt64](repeating: 0, count: 64)
        var payload = iovec(iov_base: buffer.baseAddress, iov_len: buffer.count)
        var code: Int32 = 0
        let (count, address) = PeerAddress.filled { raw, length in
            control.withUnsafeMutableBytes { control in
                withUnsafeMutablePointer(to: &payload) { payload in
                    var message = msghdr(
                        msg_name: raw, msg_namelen: length, msg_iov: payload, msg_iovlen: 1,
                        msg_control: control.baseAddress, msg_controllen: control.count, msg_flags: 0)
                    let count = recvmsg(sockets.datagrams.number, &message, Int32(MSG_ERRQUEUE))
                    // One control message: its header, then `sock_extended_err`, which begins with the error.
                    let start = MemoryLayout<cmsghdr>.size
                    if count >= 0, message.msg_controllen >= start + 4 {
                        code = control.load(fromByteOffset: start, as: Int32.self)
                    }
                    return count
                }
            }
        }
        return count < 0 ? nil : (address, code)
    }
}
