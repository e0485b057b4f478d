using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains;

// What models that learnt from the fleet's history say of this meter (ADR 12). The words are journalled; the twin keeps
// the last one.
public sealed partial class MeterTwin
{
    /// <summary>Days that an opinion counts for: it is of a week.</summary>
    public const int OpinionDays = 7;

    private ModelOpinion? _opinion;

    /// <summary>The last word of a model about this meter; null when none spoke.</summary>
    public ModelOpinion? Opinion => _opinion;

    private Admission AdmitOpinion(ModelOpinion opinion) => !(opinion.Score is >= 0 and <= ModelOpinion.MaxScore)
        ? Admission.Reject($"meter {Name}: a model's score is 0 to {ModelOpinion.MaxScore}")
        : opinion.Day > _closedThrough || _closedThrough == NoDay
            ? Admission.Reject($"meter {Name}: day {LocalDay.FormatDate(opinion.Day)} is not closed")
        : _opinion is { } last && last.Day >= opinion.Day && last.Model == opinion.Model ? Admission.Repeat
        : Admission.Accept;

    private void Apply(ModelOpinion opinion)
    {
        // One that counts is not pushed out by one in shadow of the same week.
        if (_opinion is { IsPromoted: true } last && !opinion.IsPromoted
            && opinion.Day - last.Day < OpinionDays) return;
        _opinion = opinion;
    }

    /// <summary>What the promoted model's last word is worth on a day: 0 to <see cref="ModelOpinion.MaxScore"/>.
    /// </summary>
    private float LearnedOn(in LocalDay day) => _opinion is { IsPromoted: true } o && day.Number > o.Day
        && day.Number - o.Day <= OpinionDays ? o.Score : 0;

    private void WriteOpinion(ByteWriter to) => to.Blob(_opinion is null ? [] : _opinion.ToBytes());

    private void ReadOpinion(ref ByteReader r)
    {
        var bytes = r.Blob();
        if (!bytes.IsEmpty)
            _opinion = Input.Read(bytes) as ModelOpinion ?? throw r.Bad("an opinion that is none");
    }
}
