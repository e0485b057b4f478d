using System.Buffers;
using System.IO.Pipelines;
using Twin.Grains;
using Twin.Hardware;
using Twin.Hardware.Wire;
using Twin.Ingest.Dlms;
using Twin.Ingest.Readers;

namespace Twin.Api;

/// <summary>What frames are opened with, and how their clocks and lists are read.</summary>
public sealed record FrameSettings(FrameIntake Intake, ZoneRules? Zone, int? ListEnergyWh);

/// <summary>
/// What became of frames. <paramref name="Accepted"/>: taken and durable, those that say nothing new among them;
/// <paramref name="Reasons"/>: of the first that were rejected, each with its number in the body, from 1.
/// </summary>
internal sealed record FramesAnswer(long? Position, int Frames, int Accepted, int Rejected,
    IReadOnlyList<string> Reasons);

/// <summary>
/// Takes DLMS frames, one behind another, each in the wrapper of IEC 62056-47: what a head-end or a concentrator would
/// push over TCP. A wrong header ends the body, since nothing behind it can be trusted.
/// </summary>
internal sealed class FramesIntake(IFleet fleet, ApiOptions options, string source)
{
    private const int MaxReasons = 100;

    private readonly List<string> _reasons = [];
    private readonly FrameSplitter _splitter = new(LinkKind.Wrapper);
    private readonly FrameChannel _channel = new($"http:{source}", null, options.Frames!.Zone)
    {
        ListEnergyWh = options.Frames.ListEnergyWh,
    };
    private int _frames, _accepted, _rejected;
    private long? _position;
    private bool _isBroken;

    public static readonly string[] Types = ["application/vnd.dlms", "application/octet-stream"];

    public static bool Is(string? contentType) => Types.Contains(contentType?.Split(';')[0].Trim().ToLowerInvariant());

    /// <exception cref="ApiProblem">It is too large, or no gzip; whole frames before are stored.</exception>
    /// <exception cref="StorageUnavailableException">It is stored in part: send it again.</exception>
    public async Task<FramesAnswer> Run(PipeReader body, CancellationToken cancel)
    {
        var batch = new InputBatch(source);
        var sink = options.NewSink!(batch);
        for (var total = 0L; !_isBroken;)
        {
            ReadResult read;
            try
            {
                read = await body.ReadAsync(cancel);
            }
            catch (InvalidDataException e)
            {
                throw Ended(400, "bad_gzip", $"The body is not gzip, or is damaged or cut off: {e.Message}");
            }
            total += read.Buffer.Length;
            if (total > options.Limits.MaxDecodedBytes)
                throw Ended(413, "body_too_large", $"The body has more than {options.Limits.MaxDecodedBytes} bytes.");
            foreach (var part in read.Buffer)
                for (var from = 0; from < part.Length && !_isBroken;)
                {
                    from += _splitter.Feed(part.Span[from..]);
                    while (Drain(sink, batch)) await Commit(sink, batch, cancel);
                }
            body.AdvanceTo(read.Buffer.End);
            await Commit(sink, batch, cancel);
            if (read.IsCompleted) break;
        }
        _splitter.Finish();
        while (Drain(sink, batch)) await Commit(sink, batch, cancel);
        await Commit(sink, batch, cancel);
        if (_frames == 0)
            throw new ApiProblem(400, "bad_frames", "The body has no frame in the wrapper of IEC 62056-47.",
                "Send frames one behind another, each with its eight octets of version, ports and length.");
        return new FramesAnswer(_position, _frames, _accepted, _rejected, _reasons);
    }

    private ApiProblem Ended(int status, string code, string detail) => new(status, code, detail,
        "The frames so far are stored; send the rest in another request.")
    { More = { ["frames"] = _frames, ["position"] = _position } };

    /// <summary>Takes the frames that are there; true when the batch is full and more may follow.</summary>
    private bool Drain(ObservationBatch sink, InputBatch batch)
    {
        var now = options.Now();
        while (!_isBroken && _splitter.TryNext(out var kind, out var bytes, out var error))
        {
            if (kind == SplitKind.Noise) continue;
            _frames++;
            var result = kind == SplitKind.Frame
                ? options.Frames!.Intake.Take(_channel, LinkKind.Wrapper, bytes, now, sink)
                : options.Frames!.Intake.Refuse(_channel, bytes, error, now, sink);
            _isBroken = kind != SplitKind.Frame;
            if (result.IsValid) _accepted++;
            else
            {
                _rejected++;
                if (_reasons.Count < MaxReasons) _reasons.Add($"frame {_frames}: {result.Reason}");
            }
            if (batch.IsFull || batch.Count >= options.Limits.BatchItems) return true;
        }
        return false;
    }

    private async Task Commit(ObservationBatch sink, InputBatch batch, CancellationToken cancel)
    {
        if (batch.Count == 0) return;
        _position = (await fleet.Append(batch, cancel)).Position;
        sink.Committed();
        batch.Clear();
    }
}
