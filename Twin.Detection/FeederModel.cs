using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection;

/// <summary>
/// A feeder's model: observer minus sum of members minus technical loss; members folded in id order. A day counts only
/// when every known member and observer is complete: a gap is not a theft. State: about 40 bytes, and what
/// <see cref="LossAttribution"/> and <see cref="ExchangeWatch"/> keep; the latter needs no observer.
/// </summary>
public sealed class FeederModel
{
    /// <summary>Technical loss of a low-voltage feeder above this is not plausible.</summary>
    public const double MaxTechnicalLoss = 0.06;

    /// <summary>A member not heard of for so long has left the feeder.</summary>
    private const int ForgetAfterDays = 35;
    private const int DaysToReport = 14;
    private const float BaseRate = 1f / 30, RecentRate = 1f / 7;
    private const float CusumSlack = 0.75f, CusumLimit = 12f;
    private const int QuietDaysToRearm = 28;
    private const byte EncodingVersion = 2;

    private LossAttribution _attribution = new();
    private ExchangeWatch _exchange = new();
    private int _days, _quietDays, _changeDay;
    private float _usual, _scale, _recent, _cusum;
    private bool _open;

    public FeederDay Fold(int day, in DaySubject subject, ReadOnlySpan<Member> members, IFindingSink findings)
    {
        var result = new FeederDay { Day = day };
        float observed = 0, reported = 0, net = 0;
        int observers = 0, customers = 0;
        var complete = true;
        foreach (ref readonly var member in members)
        {
            complete &= member.Features.Has(DayMarks.Complete) && !member.Features.Has(DayMarks.ExportLacks)
                && member.Features.Day == day;
            if (member.Role == MeterRole.Observer)
            {
                observers++;
                observed += member.Features.NetWh;
                continue;
            }
            customers++;
            reported += member.Features.TotalWh;
            net += member.Features.NetWh;
        }
        if (_attribution.Note(day, members, ForgetAfterDays)) _exchange.Regroup(_attribution.Ids.Length);
        var known = _attribution.Ids.Length;
        if (known == customers) _exchange.Learn(members, ref result);
        if (observers == 0 || customers == 0 || !complete || known != customers || reported <= 0) return result;
        result.IsStatement = true;
        result.MissingWh = observed - net;
        result.LossShare = result.MissingWh / reported;
        Track(day, ref result);
        _attribution.Learn(members, ref result);
        Report(result, reported, subject, members[0].Features, findings);
        return result;
    }

    /// <summary>Usual loss share and its spread, slowly and with clipped steps; a CUSUM of what is above it.</summary>
    private void Track(int day, ref FeederDay result)
    {
        var share = result.LossShare;
        _days = Math.Min(_days + 1, 1_000_000);
        if (_days == 1)
        {
            (_usual, _recent, _scale) = (share, share, 0.01f);
        }
        var step = share - _usual;
        // A balance cannot be better than its meters: half a percent of class error is the floor of the spread.
        var spread = 1.25f * _scale + 0.002f;
        result.UsualLossShare = _usual;
        result.Z = step / spread;
        var before = _cusum;
        _cusum = Math.Max(0f, _cusum + Math.Clamp(result.Z, -4f, 4f) - CusumSlack);
        if (before == 0 && _cusum > 0) _changeDay = day;
        var clipped = Math.Clamp(step, -2.5f * spread, 2.5f * spread);
        _usual += Math.Max(1f / _days, BaseRate) * clipped;
        _scale += Math.Max(1f / (_days + 1), BaseRate) * (Math.Abs(clipped) - _scale);
        _recent += Math.Max(1f / _days, RecentRate) * (share - _recent);
    }

    private void Report(in FeederDay today, float reported, in DaySubject subject, in DayFeatures clock,
        IFindingSink findings)
    {
        var tooHigh = _recent > MaxTechnicalLoss;
        var rose = _cusum > CusumLimit;
        _quietDays = tooHigh || rose ? 0 : Math.Min(_quietDays + 1, 1_000_000);
        if (_quietDays >= QuietDaysToRearm) _open = false;
        if (_days < DaysToReport || _open || !(tooHigh || rose)) return;
        _open = true;
        var usual = rose ? _usual : MaxTechnicalLoss;
        var wh = Math.Max(0, (_recent - usual) * reported);
        var date = LocalDay.FormatDate(rose ? _changeDay : today.Day);
        var why = rose
            ? $"Since {date} the feeder loses {Statements.Percent(_recent)} of what its members report, "
                + $"{Statements.Percent(_usual)} was usual"
            : $"On {date} and the week before the feeder loses {Statements.Percent(_recent)} of what its members "
                + $"report, above any technical loss";
        var from = new UnixTime(clock.Start.Seconds - (rose ? (today.Day - _changeDay) * 86_400L : 6 * 86_400L));
        findings.Add(Statements.Make(subject, FindingKind.FeederLoss, from, clock.End,
            Math.Min(10, 1 + Math.Abs(today.Z) / 4),
            Severity.Medium, 0.8, Statements.Balance, $"{why}; about {Statements.Kwh(wh)} a day go unmetered.",
            [new Evidence("loss_share", _recent, usual, 1, ""), new Evidence("unmetered_energy", wh, 0, 0, "Wh/d")]));
    }

    public void Write(ByteWriter to)
    {
        to.Byte(EncodingVersion);
        to.VarInt(_days);
        to.VarInt(_quietDays);
        to.VarInt(_changeDay);
        to.Single(_usual);
        to.Single(_scale);
        to.Single(_recent);
        to.Single(_cusum);
        to.Bool(_open);
        _attribution.Write(to);
        _exchange.Write(to);
    }

    /// <exception cref="InvalidDataException">Damaged, or written by a newer version.</exception>
    public static FeederModel Read(ref ByteReader from)
    {
        var version = from.Byte();
        if (version is not (1 or EncodingVersion))
            throw from.Bad($"a feeder model has encoding version {version}, this MeterTwin knows {EncodingVersion}");
        var model = new FeederModel
        {
            _days = checked((int)from.VarInt()),
            _quietDays = checked((int)from.VarInt()),
            _changeDay = checked((int)from.VarInt()),
            _usual = from.Single(),
            _scale = from.Single(),
            _recent = from.Single(),
            _cusum = from.Single(),
            _open = from.Bool(),
            _attribution = version == 1 ? LossAttribution.ReadFirst(ref from) : LossAttribution.Read(ref from),
        };
        if (version > 1) model._exchange = ExchangeWatch.Read(ref from);
        return model;
    }
}
