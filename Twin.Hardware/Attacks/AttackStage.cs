namespace Twin.Hardware.Attacks;

/// <summary>Whose image a meter is made to run.</summary>
public enum ImageOrigin : byte
{
    /// <summary>Made by the attacker, signed with nothing that the meter trusts.</summary>
    Unsigned = 0,
    /// <summary>Made by the attacker, signed with the vendor's stolen key.</summary>
    StolenKey = 1,
    /// <summary>A release of the vendor that the utility runs nowhere any more, with a hole in it.</summary>
    OldRelease = 2,
    /// <summary>A release that the utility has registered, outside any campaign.</summary>
    NextRelease = 3,
}

/// <summary>
/// The stage of one attack: an emulated fleet, as the acts of a script see it. Meters are named by their place among
/// the customers. Acts happen at <see cref="Now"/>; what they do reaches twins only as bytes.
/// </summary>
public abstract class AttackStage
{
    /// <summary>Customers' meters.</summary>
    public abstract int Meters { get; }

    /// <summary>The instant of the act.</summary>
    public abstract UnixTime Now { get; }

    // Images and the log.
    public abstract void RunImage(int meter, ImageOrigin origin);
    public abstract void RestoreImage(int meter);
    public abstract void Campaign(IEnumerable<int> meters, int[] stuck);
    public abstract void OpenSwitchesFromFirmware(int[] meters);
    public abstract void SaveLog(int meter);
    public abstract void RestoreLog(int meter);
    public abstract void CopySigningKey(int from, int to);
    public abstract void RecordQuote(int meter);
    public abstract void ReplayQuote(int meter);
    public abstract void SwallowQuotes(int meter);
    public abstract void CutPower(int meter);
    public abstract void CutPowerWhileWriting(int meter);
    public abstract void ChangeCalibration(int meter, double factor);
    public abstract void BreakNoiseSource(int[] meters);
    public abstract void DecayFlash(int meter);
    public abstract void WithdrawRelease(int meter);
    public abstract void GlitchReset(int meter, int times);
    public abstract void Misbehave(int[] meters);
    public abstract void IgnoreReactions(int meter);

    // Commands, sessions, keys, clock.
    public abstract void SwitchMany(int[] meters);
    public abstract void SwitchInRhythm(int[] meters, int times);
    public abstract void WeldContactor(int meter);
    public abstract void LeakKeys(int[] meters);
    public abstract void SpeakAs(int[] meters, uint counterJump);
    public abstract void SendOldCounter(int meter);
    public abstract void ReuseCounter(int meter);
    public abstract void ExhaustCounter(int meter);
    public abstract void GuessPassword(int meter, int times);
    public abstract void Reprogram(int meter, string tool, string contractor, string order);
    public abstract void ClearEventLog(int meter);
    public abstract void OfferCertificate(int meter);
    public abstract void OpenRogueSession(int meter);
    public abstract void ShiftClock(int meter, int seconds);
    public abstract void RunClockFast(int meter, double ppm);
    public abstract void ReportFalseActivation(int meter);
    public abstract void ChangeLimiter(int meter, int watts);

    // The case, the wiring, the readings.
    public abstract void OpenTerminalCover(int meter);
    public abstract void ApplyMagnet(int meter);
    public abstract void Rewire(int meter);
    public abstract void TapWire(int meter);
    public abstract void Distort(int[] meters, ReadingDistortion distortion);

    // The network.
    public abstract void AlterFrames(int meter, int count);
    public abstract void SendNonsense(int meter, int count);
    public abstract void SendUnprotected(int meter);
    public abstract void FloodEvents(int[] meters, int count);
    public abstract void SpoofLastGasp(int[] meters);
    public abstract void DropAtRelay();
    public abstract void AttractRoutes(int meter);
    public abstract void CutBackhaul(int concentrator);
    public abstract void RestoreBackhaul(int concentrator);
    public abstract void LoseContact(int[] meters);
    public abstract void RegainContact(int[] meters);

    // From the chip to retirement.
    public abstract void MakeCounterfeit(int meter);
    public abstract void LoadOnTheLine(int meter, ImageOrigin origin);
    public abstract void LeaveUnlocked(int meter);
    public abstract void AnswerWithOwnKey(int meter);
    public abstract void SwapPremises(int one, int other);
    public abstract void ExchangeMeter(int meter);
    public abstract void Retire(int meter);
}
