using System.Globalization;
using Twin.Hardware;
using Twin.Hardware.Wire;
using Twin.Ingest.Readers;
using Twin.Ingest.Text;

namespace Twin.Ingest.Dlms;

/// <summary>Frames of a feed. Every frame that was found is one of the two.</summary>
public readonly record struct FrameTotals(long Valid, long Rejected);

/// <summary>
/// Reads a file of frames: hexadecimal text (a log's other words are passed over) or a binary capture. Every frame is
/// taken or rejected with file, line or byte, and reason; bytes between frames are counted.
/// </summary>
internal sealed class FrameFile
{
    private readonly RowContext _context;
    private readonly FrameFileKind _kind;
    private readonly FrameIntake _intake;
    private readonly FrameChannel _channel;
    private readonly FrameSplitter _splitter;
    private readonly FeedSink _sink;

    // Where the bytes held by the splitter come from: at most one mark a line of text, dropped as frames pass.
    private readonly Queue<Mark> _marks = new();
    private Mark _mark;
    private long _fed;
    private long? _stamp;

    /// <summary>The first byte of a line.</summary>
    private readonly record struct Mark(long From, long Line, long? WallSeconds);

    public FrameFile(RowContext context, FrameFileKind kind, FrameIntake intake, string? meter, string? zone,
        int? listEnergyWh)
    {
        (_context, _kind, _intake) = (context, kind, intake);
        var rules = zone is not null && ZoneRules.TryGet(zone, out var known) ? known : null;
        // The name alone: a file read from another folder tells the same.
        _channel = new FrameChannel(Path.GetFileName(context.File), meter, rules) { ListEnergyWh = listEnergyWh };
        _splitter = new FrameSplitter(kind.Link);
        _sink = new FeedSink(context) { KeepsPlace = true, Zone = zone };
    }

    public long Valid { get; private set; }
    public long Rejected { get; private set; }

    /// <summary>Bytes that belong to no frame.</summary>
    public long NoiseBytes { get; private set; }

    /// <summary>Clocks that told no distance to UTC while no zone was given.</summary>
    public long WithoutZone => _channel.WithoutZone;
    public long WithoutUnit => _channel.WithoutUnit;

    /// <summary>Reads all; null, or why the file broke off.</summary>
    public string? Read(Stream stream) => _kind.IsText ? ReadText(stream) : ReadBinary(stream);

    private string? ReadText(Stream stream)
    {
        using var lines = new ByteLines(_context.File, stream);
        var bytes = new byte[1024];
        while (lines.Next(out var line))
        {
            if (bytes.Length < line.Length / 2 + 1) bytes = new byte[line.Length];
            var kind = HexLines.Read(line, bytes, out var length, out var stamp);
            _stamp = stamp ?? _stamp;
            if (kind == HexLineKind.Bytes) Feed(bytes.AsSpan(0, length), lines.LineNumber);
        }
        Finish();
        return lines.Damage;
    }

    private string? ReadBinary(Stream stream)
    {
        var bytes = new byte[1 << 16];
        string? damage = null;
        try
        {
            for (int n; (n = stream.Read(bytes)) > 0;) Feed(bytes.AsSpan(0, n), 0);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            damage = $"the file breaks off after byte {_fed}: {e.Message}";
        }
        Finish();
        return damage;
    }

    private void Feed(ReadOnlySpan<byte> bytes, long line)
    {
        if (line > 0) _marks.Enqueue(new Mark(_fed, line, _stamp));
        while (!bytes.IsEmpty)
        {
            var n = _splitter.Feed(bytes);
            _fed += n;
            bytes = bytes[n..];
            Drain();
        }
    }

    private void Finish()
    {
        _splitter.Finish();
        Drain();
        _context.Builder.Flush();
    }

    private void Drain()
    {
        while (true)
        {
            var from = _fed - _splitter.Held;
            if (!_splitter.TryNext(out var kind, out var piece, out var error)) return;
            while (_marks.TryPeek(out var next) && next.From <= from) _mark = _marks.Dequeue();
            if (kind == SplitKind.Noise)
            {
                // A flag alone opens or closes a frame.
                if (piece is not [Hdlc.Flag]) NoiseBytes += piece.Length;
                continue;
            }
            _context.CountRow(1);
            UnixTime? received = _mark.WallSeconds is { } wall ? _channel.TimeOfLog(wall) : null;
            var result = kind == SplitKind.Frame ? _intake.Take(_channel, _kind.Link, piece, received, _sink)
                : _intake.Refuse(_channel, piece, error, received, _sink);
            if (result.IsValid) Valid++;
            else Reject(result, from, piece);
        }
    }

    private void Reject(in FrameResult result, long from, ReadOnlySpan<byte> piece)
    {
        Rejected++;
        var field = _kind.IsText ? "frame" : string.Create(CultureInfo.InvariantCulture, $"frame at byte {from}");
        var shown = piece[..Math.Min(piece.Length, MaxShownBytes)];
        _context.Rejects.Row(_context.File, _mark.Line, 1, field, $"{result.Fault}: {result.Reason}",
            System.Text.Encoding.ASCII.GetBytes(Convert.ToHexString(shown)));
    }

    /// <summary>Bytes of a rejected frame that the rejects show.</summary>
    private const int MaxShownBytes = 48;
}
