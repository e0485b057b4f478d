using Twin.Detection;
using Twin.Detection.Fleet;
using Twin.Grains.Fleet;
using Twin.Grains.Meters;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains;

// What closings bring to the fleet besides letters: how high scores get, and what balances say of lots. A partition
// adds up the scores of its cohorts and hands them on; the first one, which counts over the whole fleet, makes the bar
// of them and sends it back. Cohorts get the bar that their partition knows, two rounds old, and tell their meters with
// the next day: nobody publishes in between, so that a meter's past needs its cohort's answers only.
public sealed partial class FleetTwin
{
    /// <summary>Block maxima heard here: of the partition's cohorts, and in the first partition of all.</summary>
    private ScoreSketch _blocks = new(), _whole = new();
    private LotBalance _lots = new();

    /// <summary>From which score on a day is a finding; 0 while too little is known.</summary>
    private double _bar;

    private void HearNews(IInbox inbox, IOutbox outbox)
    {
        ScoreSketch? heard = null;
        var (day, hasLots) = (int.MinValue, false);
        for (var i = 0; i < inbox.Count; i++)
        {
            var mail = inbox[i];
            if (!FleetNews.Is(mail.Body)) continue;
            var news = FleetNews.Read(mail.Body);
            day = Math.Max(day, news.Day);
            if (news.Bar is { } bar) _bar = bar;
            if (news.Lots is { } lots)
            {
                _lots.Note(mail.From.Id, news.Day, news.Change, lots);
                hasLots = true;
            }
            if (news.Scores is not { } scores) continue;
            if (mail.From.Kind == TwinKind.Fleet) _whole.Add(scores);
            else (heard ??= new ScoreSketch()).Add(scores);
            Answer(mail.From, news.Day, outbox);
        }
        if (hasLots) _lots.Judge(day, Scratch.Mine.SinkTo(outbox));
        if (heard is null) return;
        _blocks.Pass(day);
        _blocks.Add(heard);
        FleetNews.WriteScores(Scratch.Mine.Bytes, day, heard);
        outbox.Send(FleetPartition.Whole, Scratch.Mine.Bytes.Written);
    }

    /// <summary>To a cohort the bar that is known; to a partition the one that its scores have just helped to make.
    /// </summary>
    private void Answer(TwinKey to, int day, IOutbox outbox)
    {
        var bar = _bar;
        if (to.Kind == TwinKind.Fleet)
        {
            _whole.Pass(day);
            bar = AlarmBar.From(_whole);
        }
        FleetNews.WriteBar(Scratch.Mine.Bytes, day, bar);
        outbox.Send(to, Scratch.Mine.Bytes.Written);
    }

    private void WriteNews(ByteWriter to)
    {
        _blocks.Write(to);
        _whole.Write(to);
        to.Double(_bar);
        _lots.Write(to);
    }

    private void ReadNews(ref ByteReader r)
    {
        (_blocks, _whole) = (ScoreSketch.Read(ref r), ScoreSketch.Read(ref r));
        _bar = r.Double() is >= 0 and var bar ? bar : throw r.Bad("a bar is below zero");
        _lots = LotBalance.Read(ref r);
    }
}
