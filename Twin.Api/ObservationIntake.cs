using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using Twin.Grains;

namespace Twin.Api;

/// <summary>The fate of one line; <paramref name="Reason"/> is null unless it was rejected.</summary>
internal readonly record struct LineResult(int Line, AdmissionStatus Status, string? Reason);

/// <summary>
/// Takes a body line by line and appends its inputs in batches. Invariant: a line is in <see cref="Results"/> only
/// after the append of its batch has completed, and lines are there in the order of the body. So whatever ends the
/// body early, the results say exactly what is durable.
/// </summary>
internal sealed class ObservationIntake
{
    private const int MaxReasonLength = 300;
    private const string CommonReason = "rejected; only the first rejected lines of a request carry their own reason";

    private readonly IFleet _fleet;
    private readonly ApiLimits _limits;
    private readonly InputBatch _batch;
    private readonly ObservationReader _reader;
    private readonly List<Waiting> _waiting = [];
    private readonly List<LineResult> _results = [];
    private byte[] _copy = [];
    private int _line;
    private int _reasons;
    private long _decoded;
    private bool _skipping;

    public ObservationIntake(IFleet fleet, ApiOptions options, string source)
    {
        (_fleet, _limits, _batch) = (fleet, options.Limits, new InputBatch(source));
        _reader = options.NewReader(_batch);
    }

    /// <summary>
    /// A line whose batch is not appended yet: how many items of the batch are its own, or why it is rejected.
    /// </summary>
    private readonly record struct Waiting(int Line, int Items, string? Reason);

    /// <summary>Lines done, in order. Blank lines count as lines but have no result.</summary>
    public IReadOnlyList<LineResult> Results => _results;

    /// <summary>Journal position after the last append; null when nothing was appended.</summary>
    public long? Position { get; private set; }

    /// <summary>Reads the body to its end.</summary>
    /// <exception cref="ApiProblem">A bound of the body was passed; <see cref="Results"/> stand.</exception>
    /// <exception cref="StorageUnavailableException">A batch could not be stored; <see cref="Results"/>
    /// stand.</exception>
    public async Task Run(PipeReader body, CancellationToken cancel)
    {
        while (true)
        {
            var read = await Read(body, cancel);
            var buffer = read.Buffer;
            var before = buffer.Length;
            while (TryCutLine(ref buffer, out var line))
            {
                Take(line);
                if (_batch.Count >= _limits.BatchItems || _batch.ByteCount >= _limits.BatchBytes || _batch.IsFull
                    || _waiting.Count >= _limits.BatchItems) await Append(cancel);
            }
            if (buffer.Length > _limits.MaxLineBytes) buffer = Skip(buffer);
            if (read.IsCompleted && (_skipping || !buffer.IsEmpty))
            {
                Take(buffer);
                buffer = buffer.Slice(buffer.End);
            }
            _decoded += before - buffer.Length;
            body.AdvanceTo(buffer.Start, buffer.End);
            if (_decoded > _limits.MaxDecodedBytes)
                throw TooLarge(
                    $"The body has more than {_limits.MaxDecodedBytes} bytes.");
            if (read.IsCompleted) break;
        }
        await Append(cancel);
    }

    private static async ValueTask<ReadResult> Read(PipeReader body, CancellationToken cancel)
    {
        try
        {
            return await body.ReadAsync(cancel);
        }
        catch (InvalidDataException e)
        {
            throw new ApiProblem(400, "bad_gzip", $"The body is not gzip, or is damaged or cut off: {e.Message}",
                "Lines up to through_line are done; compress the rest again and send it.");
        }
    }

    private static bool TryCutLine(ref ReadOnlySequence<byte> buffer, out ReadOnlySequence<byte> line)
    {
        line = default;
        if (buffer.PositionOf((byte)'\n') is not { } end) return false;
        line = buffer.Slice(0, end);
        buffer = buffer.Slice(buffer.GetPosition(1, end));
        return true;
    }

    /// <summary>Drops the beginning of a line that is too long; its end is dropped by <see cref="Take"/>.</summary>
    private ReadOnlySequence<byte> Skip(ReadOnlySequence<byte> buffer)
    {
        _skipping = true;
        return buffer.Slice(buffer.End);
    }

    private void Take(ReadOnlySequence<byte> line)
    {
        if (_line >= _limits.MaxLines) throw TooLarge($"The body has more than {_limits.MaxLines} lines.");
        _line++;
        if (_skipping || line.Length > _limits.MaxLineBytes)
        {
            _skipping = false;
            Reject($"the line is longer than {_limits.MaxLineBytes} bytes; split it into several observations");
            return;
        }
        var text = Trim(Contiguous(line));
        if (text.IsEmpty) return;
        var before = _batch.Count;
        if (_reader.Parse(text, out var error)) _waiting.Add(new Waiting(_line, _batch.Count - before, null));
        else if (_batch.Count == before) Reject(error);
        else throw new InvalidOperationException("The parser rejected a line after it had added an input of it.");
    }

    private ReadOnlySpan<byte> Contiguous(ReadOnlySequence<byte> line)
    {
        if (line.IsSingleSegment) return line.FirstSpan;
        var length = (int)line.Length;
        if (_copy.Length < length) _copy = new byte[Math.Min(_limits.MaxLineBytes, length * 2L)];
        line.CopyTo(_copy);
        return _copy.AsSpan(0, length);
    }

    private ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> line)
    {
        if (_line == 1 && line.StartsWith("\uFEFF"u8)) line = line[3..];
        return line.Trim(" \t\r"u8);
    }

    private void Reject(string reason)
    {
        if (++_reasons > _limits.MaxReasons) reason = CommonReason;
        _waiting.Add(new Waiting(_line, 0, reason.Length <= MaxReasonLength ? reason : reason[..MaxReasonLength]));
    }

    private async Task Append(CancellationToken cancel)
    {
        var items = Array.Empty<Admission>();
        if (_batch.Count > 0)
        {
            var receipt = await _fleet.Append(_batch, cancel);
            Debug.Assert(receipt.Items.Length == _batch.Count);
            (items, Position) = (receipt.Items, receipt.Position);
            _reader.Committed();
        }
        var next = 0;
        foreach (var line in _waiting)
        {
            _results.Add(Judge(line, items.AsSpan(next, line.Items)));
            next += line.Items;
        }
        _waiting.Clear();
        _batch.Clear();
    }

    /// <summary>A line is rejected if anything of it was, a duplicate if all of it was, else accepted.</summary>
    private static LineResult Judge(Waiting line, ReadOnlySpan<Admission> items)
    {
        if (line.Reason is not null) return new LineResult(line.Line, AdmissionStatus.Rejected, line.Reason);
        var duplicates = 0;
        foreach (var item in items)
        {
            if (item.Status == AdmissionStatus.Rejected)
                return new LineResult(line.Line, AdmissionStatus.Rejected,
                    item.Reason);
            if (item.Status == AdmissionStatus.Duplicate) duplicates++;
        }
        var repeated = duplicates == items.Length && duplicates > 0;
        return new LineResult(line.Line, repeated ? AdmissionStatus.Duplicate : AdmissionStatus.Accepted, null);
    }

    private static ApiProblem TooLarge(string detail) =>
        new(413, "body_too_large", detail, "Lines up to through_line are done; send the rest in further requests.");
}
