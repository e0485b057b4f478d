using static Twin.Hardware.Attacks.Entry;
using static Twin.Hardware.FindingKind;
using static Twin.Hardware.ResponseRung;

namespace Twin.Hardware.Attacks;

/// <summary>Attacks through commands, sessions, keys and clocks.</summary>
internal static class CommandAttacks
{
    private static readonly int[] Score = [.. Enumerable.Range(0, 20)];

    public static IEnumerable<Attack> Entries() => [.. Switching(), .. Keys(), .. Settings()];

    private static IEnumerable<Attack> Switching()
    {
        yield return Of("T10", "An employee switches many off", LifeStage.Operation, "T0855",
            "NESCOR AMI.1", "Somebody with access disconnects most of the fleet at once; nobody ordered it.",
            Truth(Score), All(CommandVolume), Answer(BlockWrites, BlockWrites, Hour),
            Usual(At(Onset, s => s.Disconnect(Score))));
        yield return Of("T11", "A false head-end switches off", LifeStage.Operation, "T0848",
            "Anderson and Fuloria 2010",
            "With stolen keys, a machine that is not the head-end sends disconnections nobody ordered.",
            Truth([3, 4]), All(CommandWithoutOrder), Answer(BlockWrites, BlockWrites, Hour),
            Usual(At(Onset, s => s.DisconnectFromFalseHeadEnd([3, 4]))));
        yield return Of("T35", "Switching in rhythm", LifeStage.Operation, "T0855",
            "delay at the meter (Temple, Chen, Tippenhauer 2013)",
            "Loads are switched off and on in a rhythm that could swing the grid.",
            Truth([3, 4, 5]), All(RapidSwitching), Answer(BlockWrites, BlockWrites, Hour),
            Usual([.. Enumerable.Range(0, 32).Select(i => At(Onset, Morning + 15 * i,
                s => s.Switch([3, 4, 5], on: i % 2 == 1)))]));
        yield return Of("T36", "A critical customer's meter is suspect", LifeStage.Operation, "T0857",
            "safe-disconnect rules",
            "The meter of a customer on life support runs an unknown image: nothing may switch it off.",
            Truth([1]), All(UnknownImage), Answer(Reattest, BlockWrites, Day),
            Usual(At(1, s => s.DependOnSupply(1)), At(Onset, s => s.RunImage(1, ImageOrigin.StolenKey))));
    }

    private static IEnumerable<Attack> Keys()
    {
        yield return Of("T14", "A shared key is known", LifeStage.Operation, "T0892", "key management practice",
            "A key that several meters share is found outside; somebody speaks in their names with far counters.",
            Truth([3, 4, 5]), All(KeyCompromised, CounterJump), Answer(RotateKeys, RotateKeys, Day),
            Usual(At(Onset, s => s.LeakKeys([3, 4, 5])), At(Onset, Morning + 30, s => s.SpeakAs([3, 4, 5], 100_000))));
        yield return Of("T15", "Frame counters abused", LifeStage.Network, "T0830", "DLMS invocation counters",
            "Old counters come back, one counter protects two contents, one stands just under its limit.",
            Truth([3, 4, 5]), All(CounterRegression, NonceReuse, CounterExhaustion), Answer(Log, RotateKeys, Day),
            Usual(At(Onset, s => s.SendOldCounter(3)), At(Onset, s => s.ReuseCounter(4)),
                At(Onset, s => s.ExhaustCounter(5))));
        yield return Of("T16", "Guessed password, then reprogrammed", LifeStage.Operation, "T0806",
            "fraud logs of common meters",
            "Failed logins at the optical port, then one that succeeds and writes settings.",
            Truth(First), All(LoginFailures, LocalReprogramming), Answer(Reattest, BlockWrites, Day),
            Usual([.. Guesses(3, Onset), At(Onset, Morning + 105, s => s.Reprogram(3, "probe-17", "", ""))]));
        yield return Of("T38", "A false certificate authority", LifeStage.Operation, "T0849", "certificate practice",
            "A certificate from an authority that the utility never named is put forward for a meter's key.",
            Truth(First), All(UntrustedCertificate), Answer(BlockWrites, BlockWrites, Day),
            Usual(At(Onset, s => s.OfferCertificate(3))));
    }

    /// <summary>A wrong password every quarter of an hour.</summary>
    public static IEnumerable<Act> Guesses(int meter, int day) =>
        Enumerable.Range(0, 6).Select(i => At(day, Morning + 15 * i, s => s.GuessPassword(meter, (byte)i)));

    private static IEnumerable<Attack> Settings()
    {
        yield return Of("T17", "Clock shifted", LifeStage.Operation, "T0836", "metering practice",
            "The meter's clock is moved by hours, so that the evening counts at the night's price.",
            Truth(First), All(ClockShifted), Answer(Log, Reattest, Day),
            Usual(At(Onset, s => s.ShiftClock(3, 5 * 3600))));
        yield return Of("T37", "Limiter moved", LifeStage.Operation, "T0836", "DLMS limiter",
            "The limiter's threshold is lowered without an order, and the home goes dark at supper.",
            Truth(First), All(LimiterChanged), Answer(Notify, BlockWrites, Day),
            Usual(At(Onset, s => s.ChangeLimiter(3, 500))));
    }
}
