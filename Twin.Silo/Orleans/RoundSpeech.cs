using Orleans.Concurrency;
using Twin.Grains;
using Twin.Grains.Orleans;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Silo.Orleans;

/// <summary>
/// What the twins of one silo say in a round: letters are posted to the silos of their receivers, the rest is reported.
/// </summary>
internal sealed class RoundSpeech(SiloGate gate, SiloTwins twins, ITwinFactory factory, long epoch, long round)
{
    private readonly RoundReport _report = new();
    private readonly ByteWriter?[] _out = new ByteWriter?[twins.Homes.Silos.Count];

    /// <summary>
    /// The last page under way to each silo: pages go one behind another, so that they arrive in order.
    /// </summary>
    private readonly Task[] _posts = [.. twins.Homes.Silos.Select(_ => Task.CompletedTask)];

    public void Born(TwinKey key) => _report.Born.Add(key);

    /// <param name="from">Who speaks.</param>
    /// <param name="answer">What it says, as its grain answered.</param>
    /// <param name="mail">What it had received; null when it received nothing.</param>
    /// <param name="start">Where its mail begins.</param>
    /// <param name="count">How many letters it had.</param>
    public void Add(TwinKey from, byte[] answer, List<GateLetter>? mail, int start, int count)
    {
        var reader = new AnswerReader(answer);
        twins.Answered(from, reader.Changed, reader.Waits);
        reader.SkipToSaid();
        while (reader.TryReadSaid(out var kind, out var to, out var body))
        {
            if (kind == SaidKind.Letter) Send(to, from, body, SiloOf(to, mail, start, count));
            else _report.Said.Add((from, kind, default, body.ToArray()));
            if (kind != SaidKind.Publication || mail is null) continue;
            for (var i = start; i < start + count; i++)
                if (i == start || mail[i - 1].From != mail[i].From)
                    Send(mail[i].From, from, body, mail[i].FromSilo);
        }
    }

    private void Send(TwinKey to, TwinKey from, ReadOnlySpan<byte> body, int? silo)
    {
        _report.Letters++;
        if (silo is not { } index)
        {
            _report.Said.Add((from, SaidKind.Letter, to, body.ToArray()));
            return;
        }
        var letters = _out[index] ??= new ByteWriter(16 * 1024);
        GateCode.WriteLetter(letters, to, from, body);
        if (letters.Length >= GateCode.PageBytes) Post(index);
    }

    /// <summary>
    /// The silo of a receiver: by its key for twins that live beside no other; for the others this silo, or the one its
    /// letter came from. Null: the sequencer knows.
    /// </summary>
    private int? SiloOf(TwinKey to, List<GateLetter>? mail, int start, int count)
    {
        if (!factory.HearsClosings(to.Kind)) return twins.Homes.Of(Homes.PlaceOf(to));
        if (twins.Knows(to)) return twins.Me;
        for (var i = start; mail is not null && i < start + count; i++)
            if (mail[i].From == to) return mail[i].FromSilo;
        return null;
    }

    private void Post(int index)
    {
        if (_out[index] is not { Length: > 0 } letters) return;
        var bytes = letters.ToArray();
        letters.Clear();
        if (index == twins.Me) gate.Take(round + 1, index, bytes);
        else _posts[index] = PostAfter(_posts[index], index, bytes);
    }

    private async Task PostAfter(Task before, int index, byte[] letters)
    {
        await before;
        await gate.Gate(index).Post(epoch, round + 1, twins.Me, new Immutable<byte[]>(letters));
    }

    /// <summary>Completes when all letters have arrived.</summary>
    public async Task<RoundReport> End()
    {
        for (var i = 0; i < _out.Length; i++) Post(i);
        await Task.WhenAll(_posts);
        _report.Waiting = twins.Waiting;
        return _report;
    }
}
