using System.IO.Pipelines;
using Twin.Grains;
using Twin.Hardware;
using Twin.Ingest.Cim;
using Twin.Ingest.Readers;

namespace Twin.Api;

/// <summary>
/// What became of a message. <paramref name="Inputs"/>: events and readings in it; <paramref name="Reasons"/>: of the
/// first <see cref="MessageIntake.MaxReasons"/> that were rejected.
/// </summary>
internal sealed record MessageAnswer(long? Position, int Inputs, int Accepted, int Duplicates, int Rejected,
    IReadOnlyList<string> Reasons);

/// <summary>
/// Takes one message of IEC 61968-100, EndDeviceEvents or MeterReadings, as a whole: one with a flaw adds nothing.
/// </summary>
internal sealed class MessageIntake(IFleet fleet, ApiOptions options, string source)
{
    public const string Xml = "application/xml", OtherXml = "text/xml";

    /// <summary>Reasons of rejected inputs in the answer; further ones are counted.</summary>
    public const int MaxReasons = 100;

    public static bool Is(string? contentType) =>
        contentType?.Split(';')[0].Trim().ToLowerInvariant() is Xml or OtherXml;

    /// <exception cref="ApiProblem">It is too large, or no message that is understood.</exception>
    /// <exception cref="StorageUnavailableException">It is not stored, or in part: send it again.</exception>
    public async Task<MessageAnswer> Run(PipeReader body, CancellationToken cancel)
    {
        if (options.NewSink is not { } newSink)
            throw new ApiProblem(415, "unsupported_media_type", "This service takes no XML.", "Send NDJSON.");
        using var message = await Whole(body, options.Limits.MaxMessageBytes, cancel);
        var sink = new Batches(() => newSink(new InputBatch(source)));
        long found;
        try
        {
            found = CimReader.Read(message, sink);
        }
        catch (CimError e)
        {
            throw new ApiProblem(400, "bad_message", $"The message is not understood: {e.Message}.",
                "Nothing of it was stored. Mend that place and send it again.");
        }
        if (found == 0)
            throw new ApiProblem(400, "bad_message", "The message has no EndDeviceEvent and no reading of energy.",
                "Send EndDeviceEvents or MeterReadings of IEC 61968-9.");
        return await Append(sink, cancel);
    }

    private async Task<MessageAnswer> Append(Batches sink, CancellationToken cancel)
    {
        var (counts, reasons, position) = (new int[3], new List<string>(), (long?)null);
        foreach (var batch in sink.All)
        {
            var receipt = await fleet.Append(batch.Batch, cancel);
            batch.Committed();
            position = receipt.Position;
            foreach (var item in receipt.Items)
            {
                counts[item.Status switch
                {
                    AdmissionStatus.Rejected => 2,
                    AdmissionStatus.Duplicate => 1,
                    _ => 0,
                }]++;
                if (item.Status == AdmissionStatus.Rejected && reasons.Count < MaxReasons) reasons.Add(item.Reason);
            }
        }
        return new MessageAnswer(position, counts.Sum(), counts[0], counts[1], counts[2], reasons);
    }

    /// <summary>A body in memory: a reader of XML waits for nobody.</summary>
    /// <exception cref="ApiProblem">It is longer than that, or no gzip.</exception>
    public static async Task<MemoryStream> Whole(PipeReader body, int most, CancellationToken cancel)
    {
        var whole = new MemoryStream();
        while (true)
        {
            ReadResult read;
            try
            {
                read = await body.ReadAsync(cancel);
            }
            catch (InvalidDataException e)
            {
                throw new ApiProblem(400, "bad_gzip", $"The body is not gzip, or is damaged or cut off: {e.Message}",
                    "Nothing of it was stored; compress it again and send it.");
            }
            if (whole.Length + read.Buffer.Length > most)
                throw new ApiProblem(413, "body_too_large", $"The message has more than {most} bytes.",
                    "Nothing of it was stored. Send it as several messages.");
            foreach (var part in read.Buffer) whole.Write(part.Span);
            body.AdvanceTo(read.Buffer.End);
            if (!read.IsCompleted) continue;
            whole.Position = 0;
            return whole;
        }
    }

    /// <summary>Begins another batch whenever one is full.</summary>
    private sealed class Batches(Func<ObservationBatch> make) : ObservationSink
    {
        private readonly List<ObservationBatch> _all = [make()];

        public IEnumerable<ObservationBatch> All => _all.Where(b => b.Batch.Count > 0);

        private ObservationBatch Next()
        {
            if (_all[^1].Batch.IsFull) _all.Add(make());
            return _all[^1];
        }

        public override string? Check(string meter) => _all[^1].Check(meter);

        public override string? Check(UnixTime end) => _all[^1].Check(end);

        public override void Readings(string meter, Channel channel, int intervalMinutes, long startMinute,
            ReadOnlySpan<int> slots, ReadOnlySpan<Quality> qualities, long sourceStamp) =>
            Next().Readings(meter, channel, intervalMinutes, startMinute, slots, qualities, sourceStamp);

        public override void Register(string meter, Channel channel, UnixTime at, long value) =>
            Next().Register(meter, channel, at, value);

        public override void Event(string meter, UnixTime at, string profile, string code, string detail) =>
            Next().Event(meter, at, profile, code, detail);

        public override void Other(string meter, Input input, UnixTime at) => Next().Other(meter, input, at);

        public override void CountRounded() => _all[^1].CountRounded();
    }
}
