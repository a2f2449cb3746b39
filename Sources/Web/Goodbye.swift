import CWebSockets

/// Seconds a peer has to answer a goodbye.
let goodbyeSeconds: Int32 = 3

/// Writes a close frame. Its payload is at most 125 bytes, two of them the code (RFC 6455, 5.5); the reason is cut at a
/// character's end.
/// - Returns: 0, or -1 when the connection is broken.
func writeGoodbye(_ wsi: OpaquePointer, _ code: UInt16, _ reason: String) -> Int32 {
    var text = reason
    while text.utf8.count > 123 { text.removeLast() }
    var frame = [UInt8](repeating: 0, count: WebServer.headroom)
    frame += [UInt8(code >> 8), UInt8(code & 0xff)]
    frame += text.utf8
    let count = frame.count - WebServer.headroom
    lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, goodbyeSeconds)
    return frame.withUnsafeMutableBufferPointer { buffer in
        guard let start = buffer.baseAddress else { return -1 }
        return slipstream_write_close(wsi, start + WebServer.headroom, count) < 0 ? -1 : 0
    }
}

/// Code and reason of a close frame; without a code it is 1005, "none given" (RFC 6455, 7.1.5).
func readGoodbye(_ payload: UnsafeRawBufferPointer) -> (code: UInt16, reason: String) {
    guard payload.count >= 2 else { return (1005, "") }
    let code = UInt16(payload[0]) << 8 | UInt16(payload[1])
    return (code, String(decoding: payload.dropFirst(2), as: UTF8.self))
}
