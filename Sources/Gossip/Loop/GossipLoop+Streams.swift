import Glibc
import struct Sharding.Membership
import struct Sharding.PeerAddress
import enum Sharding.PeerFrame

extension GossipLoop {
    func open(_ address: PeerAddress, _ frame: [UInt8]) {
        do throws(GossipError) {
            let descriptor = try Descriptor.socket(sockets.family, SOCK_STREAM)
            let code = address.withSocketAddress(sockets.family) { target, length in
                connect(descriptor.number, target, length) == 0 ? 0 : errno
            }
            guard let code else { return fail(address, reason: "this node has no IPv6; bind it to ::") }
            guard code == 0 || code == EINPROGRESS else { return fail(address, code: code) }
            counters.streamsOpened += 1
            let id = streams.add(PeerStream(descriptor, address, isOurs: true, at: now))
            queue(frame, on: id)
        } catch {
            fail(address, reason: error.description)
        }
    }

    func reply(_ id: Membership.StreamID, _ frame: [UInt8], isLast: Bool) {
        queue(frame, on: id, isLast: isLast)
        flush(id)
    }

    func acceptStreams() {
        while true {
            let (number, address) = PeerAddress.filled { accept(sockets.listener.number, $0, &$1) }
            if number < 0, errno == ECONNABORTED || errno == EINTR { continue }
            guard number >= 0, let descriptor = try? Descriptor(number, attempt: "accepting"), let address else {
                return
            }
            descriptor.makeNonBlocking()
            counters.streamsAccepted += 1
            _ = streams.add(PeerStream(descriptor, address, isOurs: false, at: now))
        }
    }

    /// - Parameter events: what `poll` said.
    func serve(_ id: Membership.StreamID, _ events: Int16) {
        if streams[id]?.isConnecting == true {
            guard let outcome = streams.change(id, { $0.finishConnecting() }) else { return }
            guard outcome == .fine else { return finish(id, outcome) }
        }
        flush(id)
        guard events & Int16(POLLIN | POLLHUP | POLLERR) != 0 else { return }
        let (buffer, now) = (buffer, now)
        guard let (outcome, received) = streams.change(id, { $0.fill(using: buffer, at: now) }) else { return }
        counters.streamBytesIn += received
        takeFrames(from: id)
        if outcome != .fine { finish(id, outcome) }
    }

    // MARK: Frames

    private func queue(_ frame: [UInt8], on id: Membership.StreamID, isLast: Bool = false) {
        guard frame.count <= PeerFrame.bytesMax else {
            streams.close(id)
            return tell(.frameTooLong(bytes: frame.count))
        }
        let seal = seal
        let isQueued: Void? = streams.change(id) { stream in
            stream.queue(stream.isUnreadable ? frame : seal.seal(frame, as: .frame))
            stream.isFinishing = isLast
        }
        if isQueued != nil { counters.framesOut += 1 }
    }

    private func flush(_ id: Membership.StreamID) {
        let now = now
        guard let (outcome, sent) = streams.change(id, { $0.flush(at: now) }) else { return }
        counters.streamBytesOut += sent
        if outcome != .fine { finish(id, outcome) }
    }

    private func takeFrames(from id: Membership.StreamID) {
        do throws(FrameAssembler.TooLong) {
            while !isOver, let frame = try nextFrame(of: id) { take(frame, from: id) }
        } catch {
            counters.unreadable += 1
            streams.close(id)
        }
    }

    private func nextFrame(of id: Membership.StreamID) throws(FrameAssembler.TooLong) -> [UInt8]? {
        let next = streams.change(id) { stream in
            Result { () throws(FrameAssembler.TooLong) in try stream.input.next() }
        }
        return try next?.get() ?? nil
    }

    private func take(_ sealed: [UInt8], from id: Membership.StreamID) {
        guard let stream = streams[id], !stream.isUnreadable else { return }
        counters.framesIn += 1
        let malformed = counters.malformed
        if let frame = seal.open(sealed, as: .frame) ?? plainRefusal(sealed, on: stream) {
            handle(.frame(frame, on: id, from: stream.address))
        } else {
            counters.unreadable += 1
            _ = streams.change(id) { $0.isUnreadable = true }
            handle(.unreadableFrame(on: id, from: stream.address))
        }
        // Who says what no node says is not listened to any longer; a refusal is let out first.
        if counters.malformed > malformed, streams[id]?.isFinishing == false { streams.close(id) }
    }

    /// A node that cannot open what this one sent says so without its key. Believed only in answer, and only that.
    private func plainRefusal(_ bytes: [UInt8], on stream: PeerStream) -> [UInt8]? {
        stream.isOurs && bytes == PeerFrame.refusal(.key).bytes ? bytes : nil
    }

    // MARK: Ends

    private func finish(_ id: Membership.StreamID, _ outcome: PeerStream.Outcome) {
        guard let stream = streams[id] else { return }
        // Who has said all may still be listening.
        if case .ended = outcome, stream.hasOutput, !stream.hasHeardAll {
            _ = streams.change(id) { $0.hasHeardAll = true }
            return
        }
        streams.close(id)
        if case .failed(let code) = outcome, stream.isConnecting { fail(stream.address, code: code) }
    }

    private func fail(_ address: PeerAddress, code: Int32) {
        if code == ECONNREFUSED {
            counters.refused += 1
            refusals.insert(address)
        }
        fail(address, reason: systemReason(code))
    }

    private func fail(_ address: PeerAddress, reason: String) {
        guard seeds.contains(address) else { return }
        tell(.seedFailed(address, reason: reason))
        lookUpSeeds()
    }
}
