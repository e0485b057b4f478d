using System.Net;
using System.Net.Sockets;
using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Hardware.Wire;
using Twin.Ingest.Readers;

namespace Twin.Ingest.Dlms;

/// <summary>
/// One connection of a <see cref="FrameListener"/>: read, take, commit, confirm, and only then read on.
/// </summary>
internal sealed class FrameConnection
{
    private const int ReadBytes = 16 * 1024;

    /// <summary>Tag of data-notification-confirm (IEC 62056-5-3).</summary>
    private const byte ConfirmTag = 0x10;

    private readonly IFleet _fleet;
    private readonly FrameListenerOptions _options;
    private readonly Socket _peer;
    private readonly FrameChannel _channel;
    private readonly FrameSplitter _splitter = new(LinkKind.Wrapper);
    private readonly InputBatch _batch = new(FrameListenerOptions.Source);
    private readonly ByteWriter _confirms = new();
    private readonly byte[] _buffer = new byte[ReadBytes];
    private ObservationBatch? _sink;
    private long _lastFrame;
    private int _valid, _rejected, _faults;

    public FrameConnection(IFleet fleet, FrameListenerOptions options, Socket peer)
    {
        (_fleet, _options, _peer) = (fleet, options, peer);
        var address = (peer.RemoteEndPoint as IPEndPoint)?.Address.ToString() ?? "";
        _channel = new FrameChannel($"{FrameListenerOptions.Source}:{address}", null, options.Zone)
        {
            ListEnergyWh = options.ListEnergyWh,
        };
        _lastFrame = options.Clock.GetTimestamp();
    }

    /// <summary>Until the peer ends, or has sent too much that is no frame.</summary>
    /// <exception cref="TimeoutException">No whole frame came in time.</exception>
    public async Task Run(Action<int, int> count, CancellationToken stop)
    {
        while (_faults < _options.MaxFaults)
        {
            var n = await Receive(stop);
            if (n == 0) _splitter.Finish();
            var from = 0;
            do
            {
                from += _splitter.Feed(_buffer.AsSpan(from, n - from));
                // A commit each time the batch is full; more frames of the same bytes then follow.
                while (Drain()) await Commit(count, stop);
            } while (from < n && _faults < _options.MaxFaults);
            await Commit(count, stop);
            if (n == 0) return;
        }
        _options.Message?.Invoke($"{_channel.Where}: closed after {_faults} frames that could not be taken.");
    }

    private async Task<int> Receive(CancellationToken stop)
    {
        var left = _options.IdleTimeout - _options.Clock.GetElapsedTime(_lastFrame);
        if (left <= TimeSpan.Zero) throw new TimeoutException();
        using var idle = new CancellationTokenSource(left, _options.Clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(idle.Token, stop);
        try
        {
            return await _peer.ReceiveAsync(_buffer, both.Token);
        }
        catch (OperationCanceledException) when (idle.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            throw new TimeoutException();
        }
    }

    /// <summary>Takes the frames that are there; true when the batch is full and more may follow.</summary>
    private bool Drain()
    {
        var now = _options.Clock.GetUtcNow();
        var received = new UnixTime(now.ToUnixTimeSeconds());
        _sink ??= new ObservationBatch(_batch, _options.Announced,
            new UnixTime((now + _options.MaxAhead).ToUnixTimeSeconds()));
        while (_faults < _options.MaxFaults && _splitter.TryNext(out var kind, out var bytes, out var error))
        {
            if (kind == SplitKind.Noise) continue;
            var result = kind == SplitKind.Frame
                ? _options.Intake.Take(_channel, LinkKind.Wrapper, bytes, received, _sink)
                : _options.Intake.Refuse(_channel, bytes, error, received, _sink);
            if (kind == SplitKind.Frame) _lastFrame = _options.Clock.GetTimestamp();
            // The wrapper has no check sequence: after a wrong header nothing in the stream can be trusted.
            else _faults = _options.MaxFaults;
            if (result.IsValid) _valid++;
            else (_rejected, _faults) = (_rejected + 1, _faults + 1);
            if (result.Confirm is { } id) Confirm(bytes, id);
            if (_batch.IsFull) return true;
        }
        return false;
    }

    private void Confirm(ReadOnlySpan<byte> frame, uint longInvokeId)
    {
        if (!TcpWrapper.TryRead(frame, out var wrapper, out _)) return;
        var apdu = new ByteWriter(8);
        apdu.Byte(ConfirmTag);
        apdu.BigUInt32(longInvokeId);
        apdu.Byte(0);
        TcpWrapper.Write(_confirms, wrapper.Destination, wrapper.Source, apdu.Written);
    }

    private async Task Commit(Action<int, int> count, CancellationToken stop)
    {
        if (_batch.Count > 0)
        {
            // Not cancelled: the batch holds our buffer, and what was received is worth keeping.
            await _fleet.Append(_batch, CancellationToken.None);
            _sink!.Committed();
            _batch.Clear();
        }
        // The next batch is judged by a new clock.
        _sink = null;
        count(_valid, _rejected);
        (_valid, _rejected) = (0, 0);
        if (_confirms.Length == 0) return;
        var confirms = _confirms.WrittenMemory;
        using var idle = new CancellationTokenSource(_options.IdleTimeout, _options.Clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(idle.Token, stop);
        for (var sent = 0; sent < confirms.Length;)
            sent += await _peer.SendAsync(confirms[sent..], both.Token);
        _confirms.Clear();
    }
}
