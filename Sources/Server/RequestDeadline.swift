import NIOCore
import NIOHTTPTypes

/// Closes the connection of a client that takes too long to send a request it has begun, or is still
/// at it when the server ends.
///
/// An idle connection is another matter: one that sends a byte now and then is never idle.
final class RequestDeadline: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart

  private let limit: TimeAmount
  private var deadline: Scheduled<Void>?

  init(limit: TimeAmount) { self.limit = limit }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head:
      close(context, in: limit)
    case .body: break
    case .end: cancel()
    }
    context.fireChannelRead(data)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // What follows is no request: the refusal has a moment to go out.
    close(context, in: .seconds(1))
    context.fireErrorCaught(error)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is ChannelShouldQuiesceEvent, deadline != nil { context.close(promise: nil) }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    cancel()
    context.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) { cancel() }

  private func close(_ context: ChannelHandlerContext, in delay: TimeAmount) {
    cancel()
    deadline = context.eventLoop.assumeIsolated().scheduleTask(in: delay) {
      context.close(promise: nil)
    }
  }

  private func cancel() {
    deadline?.cancel()
    deadline = nil
  }
}
