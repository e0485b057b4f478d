namespace Twin.Detection.Specification;

/// <summary>Invariant I10: a meter's clock stays near the head-end's.</summary>
public static class ClockCheck
{
    /// <summary>
    /// Seconds that a meter's clock may be off. A crystal of IEC 62054-21 is within 0.5 s a day; 120 s allows for
    /// months without synchronisation. The bound is ours: utilities have their own, mostly 10 to 60 s.
    /// </summary>
    public const int ToleranceSeconds = 120;

    /// <summary>A step of the clock from which on tariffs are concerned: ours.</summary>
    public const int ShiftSeconds = 300;

    /// <summary>
    /// Seconds by which the meter's clock is wrong for certain, 0 within tolerance; positive when it is ahead. A quote
    /// over a challenge was made after the challenge was issued and before it arrived, however long it travelled.
    /// </summary>
    /// <param name="meter">What the meter's clock said when it made the quote.</param>
    /// <param name="issued">When the challenge was issued; 0 when the quote answers none.</param>
    /// <param name="received">When the quote came in.</param>
    public static long Drift(uint meter, uint issued, uint received)
    {
        if (meter > Moment.Plus(received, ToleranceSeconds)) return Moment.Since(received, meter);
        return issued != 0 && Moment.Plus(meter, ToleranceSeconds) < issued ? -Moment.Since(meter, issued) : 0;
    }
}
