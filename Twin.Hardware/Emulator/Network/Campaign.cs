using System.Globalization;
using System.Text;
using Twin.Hardware.Attestation;
using Twin.Hardware.Emulator.Zeus;

namespace Twin.Hardware.Emulator.Network;

/// <summary>
/// A roll-out of one image to named meters: how far each is. Blocks go out in bursts that nobody confirms; the
/// verification then tells the first block that is missing, and a burst from there goes again. After
/// <see cref="MaxRounds"/> bursts, or when a meter refuses an image that is whole, its part has failed.
/// </summary>
public sealed class Campaign
{
    public const int MaxRounds = 40;

    /// <summary>Bytes of a block, as the meters of this fleet take them.</summary>
    public const int BlockBytes = 1_024;

    /// <summary>Blocks of a burst: few enough that a frame held up for an hour is in the meter's window.</summary>
    private const int BurstBlocks = 16;

    /// <summary>After a burst, before the next or the question whether all have come: frames may be held up.</summary>
    private const int SettleMs = 30 * 60_000;

    private const string Missing = "first block missing ";

    private sealed class Part
    {
        public CampaignState State;
        public int NextBlock, Until, Rounds;
        public long NotBeforeMs;
        public string LastWord = "";
    }

    private readonly byte[] _bytes;
    private readonly SortedDictionary<int, Part> _parts = [];

    public Campaign(string name, FirmwareImage image, UnixTime from, UnixTime to, IEnumerable<int> meters)
    {
        (Name, Image, From, To) = (name, image, from, to);
        _bytes = image.ToBytes();
        foreach (var meter in meters) _parts.Add(meter, new Part { Until = Blocks });
    }

    public string Name { get; }
    public FirmwareImage Image { get; }
    public UnixTime From { get; }

    /// <summary>Exclusive.</summary>
    public UnixTime To { get; }
    public IEnumerable<int> Meters => _parts.Keys;
    public int Blocks => (_bytes.Length + BlockBytes - 1) / BlockBytes;
    public CampaignState StateOf(int meter) => _parts[meter].State;

    /// <summary>What the meter last said of its part; empty before it said anything.</summary>
    public string LastWord(int meter) => _parts[meter].LastWord;
    public bool Covers(int meter) => _parts.ContainsKey(meter);

    /// <summary>The registry's word on a meter's part.</summary>
    public CampaignMember Member(int meter, MeterId id, UnixTime at) => new(id, at, Name, Image.Header.Part,
        Image.Digest, Image.Header.Version, From, To, false, StateOf(meter));

    /// <summary>What to ask the meter next; null when its part is over, or waits for a quote.</summary>
    internal HeadEndTask? Next(int meter)
    {
        var part = _parts[meter];
        HeadEndTask Ask(HeadEndWork work, long notBefore, params byte[][] requests) =>
            new(work, requests, 1_000 * To.Seconds, Name) { NotBefore = notBefore };
        return part.State switch
        {
            CampaignState.Queued => Ask(HeadEndWork.ImageInitiate, 0,
                MeterCommands.InitiateImage(Encoding.UTF8.GetBytes(Image.Header.Name), _bytes.Length)),
            CampaignState.Initiated or CampaignState.Downloading when part.NextBlock < part.Until =>
                Ask(HeadEndWork.ImageBlocks, part.NotBeforeMs, [.. Enumerable
                    .Range(part.NextBlock, Math.Min(BurstBlocks, part.Until - part.NextBlock))
                    .Select(n => MeterCommands.ImageBlock((uint)n, Block(n)))]),
            CampaignState.Downloading => Ask(HeadEndWork.ImageVerify, part.NotBeforeMs, MeterCommands.VerifyImage()),
            CampaignState.Verified => Ask(HeadEndWork.ImageActivate, 0, MeterCommands.ActivateImage()),
            _ => null,
        };
    }

    private ReadOnlySpan<byte> Block(int number) =>
        _bytes.AsSpan(number * BlockBytes, Math.Min(BlockBytes, _bytes.Length - number * BlockBytes));

    /// <summary>Takes an answer; true when the meter's state has changed.</summary>
    internal bool Take(int meter, in HeadEndAnswer answer, UnixTime at)
    {
        var part = _parts[meter];
        var before = part.State;
        var done = answer.Outcome?.Result == CommandResult.Done;
        part.LastWord = answer.Outcome?.Detail ?? part.LastWord;
        part.State = (answer.Task.Work, part.State) switch
        {
            _ when !answer.InTime => CampaignState.Failed,
            (HeadEndWork.ImageInitiate, CampaignState.Queued) when done => CampaignState.Initiated,
            (HeadEndWork.ImageBlocks, CampaignState.Initiated or CampaignState.Downloading) =>
                Sent(part, answer.Task.Requests.Length, at),
            (HeadEndWork.ImageVerify, CampaignState.Downloading) => done ? CampaignState.Verified
                : Again(part, answer.Outcome!.Detail),
            // A second question after the meter has restarted finds nothing to activate: the quote will tell.
            (HeadEndWork.ImageActivate, CampaignState.Verified) => CampaignState.Updating,
            var (_, state) => state,
        };
        return part.State != before;
    }

    private static CampaignState Sent(Part part, int blocks, UnixTime at)
    {
        (part.NotBeforeMs, part.Rounds) = (1_000 * at.Seconds + SettleMs, part.Rounds + 1);
        part.NextBlock += blocks;
        return CampaignState.Downloading;
    }

    /// <summary>A block is missing: a burst from it on; the whole image when the meter has restarted since.</summary>
    private CampaignState Again(Part part, string detail)
    {
        var at = detail.IndexOf(Missing, StringComparison.Ordinal);
        if (at < 0 || part.Rounds >= MaxRounds
            || !int.TryParse(detail.AsSpan(at + Missing.Length), NumberStyles.None, CultureInfo.InvariantCulture,
                out var first)) return CampaignState.Failed;
        var isLost = detail.Contains(nameof(Wire.ImageStatus.NotInitiated), StringComparison.Ordinal);
        part.NextBlock = isLost ? 0 : first;
        part.Until = isLost ? Blocks : Math.Min(Blocks, first + BurstBlocks);
        return isLost ? CampaignState.Queued : CampaignState.Downloading;
    }

    /// <summary>A quote of the meter shows the image running: its part is done. True when that is news.</summary>
    internal bool Runs(int meter, CakQuote quote)
    {
        var part = _parts[meter];
        if (part.State != CampaignState.Updating || quote.Of(Image.Header.Part).Image != Image.Digest) return false;
        part.State = CampaignState.Updated;
        return true;
    }
}
